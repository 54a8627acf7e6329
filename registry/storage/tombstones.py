"""What stays of a version that is deleted."""

from collections.abc import Iterable

from core.actors import Actor
from registry.models import ModelAlias, ModelVersion, RegisteredModel
from registry.storage.models import Tombstone


def bury(actor: Actor, model: RegisteredModel, versions: Iterable[ModelVersion], reason: str) -> None:
    """Write down who deletes these versions of the model and why; call before their aliases go."""
    rows = list(versions)
    aliases: dict[object, list[str]] = {}
    for version_id, name in ModelAlias.objects.filter(version__in=rows).values_list("version_id", "name"):
        aliases.setdefault(version_id, []).append(name)
    Tombstone.objects.bulk_create(
        Tombstone(
            version=row,
            model_name=model.name,
            number=row.number,
            digest=row.digest,
            size=row.size,
            aliases=sorted(aliases.get(row.pk, [])),
            reason=reason,
            deleted_by_id=actor.account_id,
            deleted_by_name=actor.account_name,
        )
        for row in rows
    )
