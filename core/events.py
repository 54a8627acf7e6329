"""Events: a lower package says what happened, an upper one hears it later, at least once."""

from collections.abc import Callable
from typing import Any

from core.jobs.queue import enqueue

Handler = Callable[[dict[str, Any]], None]

_handlers: dict[str, dict[str, tuple[Handler, str]]] = {}


def on(topic: str, *, queue: str = "default") -> Callable[[Handler], Handler]:
    """Register a handler of ``topic``; it must bear being called twice with the same body."""

    def register(handler: Handler) -> Handler:
        name = f"{handler.__module__}.{handler.__qualname__}"
        _handlers.setdefault(topic, {})[name] = (handler, queue)
        return handler

    return register


def emit(topic: str, subject: Any, body: dict[str, Any] | None = None) -> None:
    """Tell the subscribers of ``topic``, in the same transaction as the change itself.

    ``body`` is plain JSON; ``subject_id`` and ``subject_type`` are added to it.
    """
    full = {
        **(body or {}),
        "topic": topic,
        "subject_id": str(subject.pk) if subject is not None else "",
        "subject_type": subject._meta.label_lower if subject is not None else "",
    }
    for name, (_, queue) in sorted(_handlers.get(topic, {}).items()):
        enqueue("core.deliver_event", payload={"handler": name, "topic": topic, "body": full}, queue=queue)


def deliver(topic: str, name: str, body: dict[str, Any]) -> None:
    """Call one handler; an unknown name (an older release's handler) is an error, not a loss."""
    handler, _ = _handlers[topic][name]
    handler(body)
