"""What upper packages show on pages of lower ones, without the lower importing them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

Loader = Callable[[Any, Sequence[Any]], dict[Any, Any]]


@dataclass(frozen=True)
class Panel:
    page: str
    order: int
    load: Loader
    template: str


_panels: dict[str, list[Panel]] = {}


def register(page: str, order: int, load: Loader, template: str) -> None:
    """Show ``template`` on ``page``; call from ``AppConfig.ready``.

    ``load(actor, objects)`` gets all objects of the page at once and answers a dictionary from
    an object's primary key to the template's ``panel`` value; objects left out show nothing.
    """
    panel = Panel(page, order, load, template)
    known = _panels.setdefault(page, [])
    if panel not in known:
        known.append(panel)
        known.sort(key=lambda each: (each.order, each.template))


def load(page: str, actor: Any, objects: Sequence[Any]) -> dict[Any, list[tuple[str, Any]]]:
    """For each object's primary key, the ordered (template, value) pairs to show."""
    shown: dict[Any, list[tuple[str, Any]]] = {each.pk: [] for each in objects}
    if not objects:
        return shown
    for panel in _panels.get(page, []):
        for pk, value in panel.load(actor, objects).items():
            if value is not None and pk in shown:
                shown[pk].append((panel.template, value))
    return shown
