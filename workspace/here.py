"""What the palette offers about the page it was opened on, before anything is typed or as its words are typed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

from django.urls import reverse

from core.actors import Actor, holds
from pipelines.models import Dataset
from registry.models import ModelVersion, RegisteredModel
from registry.prompts.content import among_prompts
from workspace.wanted import line

MODEL = re.compile(r"^/models/(?P<name>[^/]+)/(versions/(?P<number>[1-9]\d{0,8})/)?")
DATASET = re.compile(r"^/data/(?P<name>[^/]+)/")
Lines = Iterator[dict[str, str]]


def lines_here(actor: Actor, address: str, typed: str) -> list[dict[str, str]]:
    """Lines about the object of ``address`` that hold what was typed; none for what the reader may not see."""
    path = urlsplit(address).path
    return [each for each in _of(actor, path) if typed.lower() in each["word"].lower()]


def _of(actor: Actor, path: str) -> Lines:
    if found := MODEL.match(path):
        yield from _of_model(actor, unquote(found["name"]), found["number"])
    elif found := DATASET.match(path):
        yield from _of_dataset(actor, unquote(found["name"]))


def _of_model(actor: Actor, name: str, number: str | None) -> Lines:
    models = RegisteredModel.objects.visible_to(actor).annotate(is_text=among_prompts())
    model = models.filter(name=name.replace("\x00", "")).first()
    if model is None:
        return
    versions = ModelVersion.objects.ready().filter(model=model).order_by("-number")
    version = (versions.filter(number=int(number)) if number else versions).only("number").first()
    rights = {
        right
        for right in ("register", "propose", "deploy", "roll_back", "administer")
        if holds(actor, right, model)
    }
    if model.is_text:  # a text is neither promoted nor served
        rights &= {"administer", "register"}
        if "register" in rights:
            write = reverse("registry:new-prompt-version", args=[name])
            yield line("pen-line", f"Write a version of {name}…", "", write)
    if version is not None:
        yield from _of_version(name, version.number, rights)
    if not model.is_text:
        yield line("file-text", f"Model card of {name}", "", reverse("cards:card", args=[name]))
        yield line("activity", f"Monitoring of {name}", "", reverse("monitoring:model", args=[name]))
    if "roll_back" in rights:
        yield line("undo-2", f"Roll back {name}…", "", reverse("deployments:roll-back", args=[name]))
    if "administer" in rights:
        yield line("pen-line", f"Edit {name}…", "", reverse("registry:edit-model", args=[name]))


def _of_version(name: str, number: int, rights: set[str]) -> Lines:
    which, place = f"{name} v{number}", [name, number]
    if "propose" in rights:
        promote = reverse("promote-version", args=place)
        yield line("shield-check", f"Request promotion of {which}…", "", promote)
    compare = f"{reverse('compare:versions', args=[name])}?b={number}"
    yield line("git-compare", f"Compare {which}…", "", compare)
    if "deploy" in rights:
        yield line("rocket", f"Deploy {which}…", "", reverse("deployments:deploy-version", args=place))
    yield line("copy", f"Code that loads {which}", "", f"{reverse('registry:version', args=place)}#use")


def _of_dataset(actor: Actor, name: str) -> Lines:
    dataset = Dataset.objects.visible_to(actor).filter(name=name.replace("\x00", "")).first()
    if dataset is None:
        return
    yield line("scroll-text", f"Contract of {name}", "", reverse("pipelines:contract", args=[name]))
    yield line(
        "git-compare", f"Compare versions of {name}…", "", reverse("pipelines:compare-versions", args=[name])
    )
    if holds(actor, "register", dataset):
        yield line("plus", f"Add a version to {name}…", "", reverse("pipelines:add-version", args=[name]))
    if holds(actor, "administer", dataset):
        yield line("pen-line", f"Edit {name}…", "", reverse("pipelines:edit-dataset", args=[name]))
