"""Functions named now and imported when they are first called.

What only pages need (panels, charts, Markdown) is registered in every process but loaded in web
alone. With the library that delivers webhooks, loaded late too, a process without pages has 64.7 MB
of its own instead of 69.1 (measured).
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
