"""What an actor may do to data sets and pipelines."""

from core.actors import Actor, holds
from pipelines.models import Dataset, PipelineRun


def may_create(actor: Actor) -> bool:
    """Create data sets and start pipelines."""
    return holds(actor, "create")


def may_register(actor: Actor, dataset: Dataset) -> bool:
    """Add versions and describe the data set."""
    return holds(actor, "register", dataset)


def may_administer(actor: Actor, dataset: Dataset) -> bool:
    """Set its contract, quarantine versions, grant rights on it."""
    return holds(actor, "administer", dataset)


def may_cancel(actor: Actor, run: PipelineRun) -> bool:
    """Whoever started a run may stop it, and so may an admin."""
    own = run.started_by is not None and run.started_by.person_id == actor.person_id
    return (own and holds(actor, "create")) or holds(actor, "administer")
