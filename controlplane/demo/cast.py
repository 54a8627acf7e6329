"""Who plays in the story, and through which doors."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from controlplane.demo.display import Display
from controlplane.demo.doors import Browser, Gateway, Rest

MODEL, DATASET, ENVIRONMENT = "flight-delay", "flights", "production"


@dataclass
class Cast:
    """The people of the demo: tokens and passwords by account name."""

    address: str
    gateway_address: str
    tokens: dict[str, str]
    passwords: dict[str, str]
    display: Display
    bundle: Path
    browsers: dict[str, Browser] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.scientist = Rest(self.address, self.tokens["scientist"])
        self.operator = Rest(self.address, self.tokens["operator"])
        self.auditor = Rest(self.address, self.tokens["auditor"])
        self.gateway = Gateway(self.gateway_address, self.tokens["scientist"])

    def browser(self, name: str) -> Browser:
        """A person's session, signed in once."""
        if name not in self.browsers:
            self.browsers[name] = Browser(self.address, name, self.passwords[name])
        return self.browsers[name]
