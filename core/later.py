"""Functions named now and imported when they are first called.

What only pages need (panels, charts, Markdown) is registered in every process but loaded in web
alone: it took 7 MB in each of the workers, the scheduler, the sealer and the agent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.module_loading import import_string


@dataclass(frozen=True)
class Later:
    """``Later("app.module.function")`` is called like the function itself."""

    path: str

    def __call__(self, *positional: Any, **named: Any) -> Any:
        return import_string(self.path)(*positional, **named)
