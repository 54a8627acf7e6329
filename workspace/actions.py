"""What the palette offers to do: each opens the normal page, where people see what will happen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from django.db.models import OuterRef, Subquery
from django.urls import reverse

from core.actors import Actor
from registry.models import ModelVersion, RegisteredModel
from registry.prompts.content import among_prompts
from workspace.wanted import Wanted, line, wanted

MOST = 4


@dataclass(frozen=True)
class Verb:
    """Something to do with a model or its newest version: ``promote flight-delay``."""

    said: tuple[str, ...]
    icon: str
    word: str
    right: str
    page: str
    needs_version: bool = True


VERBS = (
    Verb(("promote", "request"), "shield-check", "Request promotion of {}…", "propose", "promote-version"),
    Verb(("deploy",), "rocket", "Deploy {}…", "deploy", "deployments:deploy-version"),
    Verb(("roll back", "rollback"), "undo-2", "Roll back {}…", "roll_back", "deployments:roll-back", False),
    Verb(("edit", "describe"), "pen-line", "Edit {}…", "administer", "registry:edit-model", False),
    Verb(("rename",), "pen-line", "Rename {}…", "administer", "registry:edit-model", False),
    Verb(("delete",), "x", "Delete {}…", "administer", "registry:delete-model", False),
)
# word, icon, address, the right that the page asks for
PLAIN = (
    ("Create a data set…", "database", "/data/_new/", "create"),
    ("Write a prompt…", "message-square", "/prompts/new/", "create"),
    ("Create a token…", "key-round", "/settings/tokens/", ""),
    ("Export the audit trail…", "download", "/audit/exports/", "audit"),
    ("Verify the audit trail…", "shield-check", "/audit/", "audit"),
    ("Add a person…", "users", "/admin/people/", "administer"),
    ("Add a webhook…", "link", "/admin/webhooks/", "administer"),
)


def actions_for(actor: Actor, asked: Wanted) -> Iterator[dict[str, str]]:
    """Those whose words were typed and that the reader has the right to."""
    typed = asked.words.lower()
    for verb in VERBS:
        for said in verb.said:
            if typed == said or typed.startswith(f"{said} "):
                rest = wanted(asked.words[len(said) :])
                yield from _of_models(actor, verb, rest or replace(asked, name=""))
                break
    for word, icon, address, right in PLAIN:
        if typed in word.lower() and (not right or actor.holds_everywhere(right)):
            yield line(icon, word, "", address)


def _of_models(actor: Actor, verb: Verb, asked: Wanted) -> Iterator[dict[str, str]]:
    visible = RegisteredModel.objects.visible_to(actor).searched(asked.name)
    models = visible.filter(pk__in=RegisteredModel.objects.granting(actor, verb.right).values("pk"))
    if verb.right != "administer":
        models = models.exclude(among_prompts())  # a text is neither promoted nor served
    if not verb.needs_version:
        for name in models.order_by("name").values_list("name", flat=True)[:MOST]:
            yield line(verb.icon, verb.word.format(name), "", reverse(verb.page, args=[name]))
        return
    versions = ModelVersion.objects.ready().filter(model=OuterRef("pk")).order_by("-number")
    if asked.number is not None:
        versions = versions.filter(number=asked.number)
    found = models.annotate(ready_number=Subquery(versions.values("number")[:1]))
    found = found.filter(ready_number__isnull=False).order_by("name")
    for name, number in found.values_list("name", "ready_number")[:MOST]:
        yield line(
            verb.icon, verb.word.format(f"{name} v{number}"), "", reverse(verb.page, args=[name, number])
        )
