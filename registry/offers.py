"""What the pages of a model and of a version offer to change in place: aliases and tags."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from registry import rights
from registry.alias_forms import AliasForm, PointForm, RemoveAliasForm
from registry.models import ModelAlias, ModelTag, ModelVersion, RegisteredModel, VersionTag
from registry.protected import address_to_ask
from registry.services import protected_names
from registry.services.tags import IS_PROMPT, PROMPT_CONTENT
from registry.tag_forms import RemoveTagForm, TagForm

CHAMPION = "champion"
# Longer addresses are refused by servers in between, so what would need one has no Undo.
LONGEST_ADDRESS = 1500


def door(name: str, target: RegisteredModel | ModelVersion) -> str:
    """The address of one of the four doors, of the model or of the version."""
    if isinstance(target, ModelVersion):
        return reverse(f"registry:{name}-of-version", args=[target.model.name, target.number])
    return reverse(f"registry:{name}", args=[target.name])


def undo_at(name: str, target: RegisteredModel | ModelVersion, **said: str) -> str:
    """The address that takes a change back when posted to, or empty."""
    address = f"{door(name, target)}?{urlencode(said)}"
    return address if len(address) <= LONGEST_ADDRESS else ""


def free_aliases(model: RegisteredModel) -> list[ModelAlias]:
    """Those that move without an approval, by name."""
    protected = protected_names()
    found = [each for each in model.aliases.all() if each.name not in protected]
    return sorted(found, key=lambda alias: alias.name)


def loose_tags(target: RegisteredModel | ModelVersion) -> list[ModelTag | VersionTag]:
    """Tags that may be removed: not those that make it a prompt and are its content."""
    tags = sorted(target.tags.all(), key=lambda tag: tag.key)
    is_prompt = any(tag.key == IS_PROMPT and tag.value == "true" for tag in tags)
    return [tag for tag in tags if tag.key not in PROMPT_CONTENT] if is_prompt else tags


def offers(actor: Any, target: RegisteredModel | ModelVersion, **answered: Any) -> dict[str, Any]:
    """The forms for who may use them; ``answered`` are those that were sent and refused."""
    model = target.model if isinstance(target, ModelVersion) else target
    if not rights.may_describe(actor, model):
        return {}
    of_version = isinstance(target, ModelVersion)
    free = free_aliases(model)
    own = [each for each in free if not of_version or each.version_id == target.pk]
    fresh = {
        "set_alias": AliasForm(free=free, version=target) if of_version else _point_form(model),
        "remove_alias": RemoveAliasForm(free=own) if own else None,
        "set_tag": TagForm(),
        "remove_tag": RemoveTagForm(tags=tags) if (tags := loose_tags(target)) else None,
    }
    names = ("set_alias", "remove_alias", "set_tag", "remove_tag")
    doors = {f"{name}_at": door(name.replace("_", "-"), target) for name in names}
    asked_at = address_to_ask(target, CHAMPION) if of_version and target.is_ready else ""
    return {**fresh, **answered, **doors, "promote_at": asked_at}


def _point_form(model: RegisteredModel) -> PointForm | None:
    """A model that never had a version has nothing to point at."""
    return PointForm() if model.next_number > 1 else None
