"""Who names sources, and who reads from them."""

from core.actors import Actor, holds
from pipelines.sources.models import Source


def may_administer(actor: Actor) -> bool:
    """Name sources and say who may use them: a source reaches into other systems."""
    return actor.holds_everywhere("administer")


def may_use(actor: Actor, source: Source) -> bool:
    """Read data set versions from it."""
    return holds(actor, "register", source)


def may_see_places(actor: Actor) -> bool:
    """Where sources are and who uses them; those who use them know them by name alone."""
    return may_administer(actor) or actor.holds_everywhere("audit")
