"""What the pages of a prompt and of its versions show."""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch
from django.urls import reverse

from core.actors import Actor, holds
from core.jobs.models import Job
from core.pages import Page
from core.templatetags.ui import in_words
from registry import rights
from registry.compare.differences import differing, lines_of
from registry.forms import EditVersionForm
from registry.models import ModelVersion, RegisteredModel, VersionTag
from registry.prompts.content import Prompt, prompt_of, tags_of_people
from registry.prompts.differences import plain_difference, text_difference
from registry.services import VERIFY
from registry.services.integrity import MAY_VERIFY
from registry.services.tags import PROMPT_CONTENT
from registry.snippets import of_first_prompt, of_prompt
from registry.storage.gaps import with_gaps

VERSIONS = 25


def page_of_prompt(request: Any, model: RegisteredModel) -> dict[str, Any]:
    """Its versions with what is new in each and how each begins."""
    actor = request.actor
    versions = ModelVersion.objects.visible_to(actor).filter(model=model).in_lists()
    said = Prefetch("tags", VersionTag.objects.filter(key__in=PROMPT_CONTENT))
    page = Page(
        request,
        versions.select_related("created_by").prefetch_related("aliases", said),
        key="number",
        size=VERSIONS,
    )
    for version in page.items:
        version.prompt = prompt_of(version)
    newest = versions.prefetch_related("aliases", said).order_by("-number").first()
    prompt = prompt_of(newest) if newest else None
    aliases = sorted(model.aliases.all(), key=lambda alias: alias.name)
    return {
        "model": model,
        "page": page,
        "rows": with_gaps(model, page.items, is_first=not page.newer, is_last=not page.older),
        "newest": newest,
        "prompt": prompt,
        "aliases": aliases,
        "tags": tags_of_people(model.tags.all()),
        "may_administer": rights.may_administer(actor, model),
        "may_register": rights.may_register(actor, model),
        "snippets": of_prompt(newest, prompt.variables, [alias.name for alias in aliases])
        if newest and prompt
        else [],
        "first": of_first_prompt(model.name),
        "trail": [("Models", "/models/"), (model.name, "")],
    }


def page_of_version(
    actor: Actor, version: ModelVersion, form: EditVersionForm | None = None
) -> dict[str, Any]:
    """The text, what it asks for, and how to load it."""
    model, prompt = version.model, prompt_of(version)
    aliases = sorted(alias.name for alias in version.aliases.all())
    versions = ModelVersion.objects.visible_to(actor).filter(model=model).order_by("-number")
    return {
        "version": version,
        "model": model,
        "prompt": prompt,
        "aliases": aliases,
        "tags": tags_of_people(version.tags.all()),
        "before": versions.filter(number__lt=version.number).values_list("number", flat=True).first(),
        "snippets": of_prompt(version, prompt.variables, aliases),
        "verification": Job.objects.about(version).filter(kind=VERIFY).open().first(),
        "form": form or EditVersionForm.of(version),
        "may_register": rights.may_register(actor, model),
        "may_verify": version.is_ready and any(holds(actor, right, model) for right in MAY_VERIFY),
        "trail": [
            ("Models", "/models/"),
            (model.name, reverse("registry:model", args=[model.name])),
            (f"v{version.number}", ""),
        ],
    }


def page_of_comparison(a: ModelVersion, b: ModelVersion) -> dict[str, Any]:
    """What the second says that the first does not: the text before anything else."""
    before, after = prompt_of(a), prompt_of(b)
    tags = lines_of(*({tag.key: tag.value for tag in tags_of_people(each.tags.all())} for each in (a, b)))
    settings = lines_of(*({in_words(key): value for key, value in each.settings} for each in (before, after)))
    tables = [
        ("settings", "Model settings", settings, "Neither names a model."),
        ("tags", "Tags", tags, "Neither has a tag."),
    ]
    return {
        "a": a,
        "b": b,
        "text": text_difference(before, after),
        "response_format": plain_difference(before.response_format, after.response_format),
        "has_format": bool(before.response_format or after.response_format),
        "variables": _variables(before, after),
        "tables": [
            (key, title, differing(lines), [line for line in lines if not line.is_difference], empty)
            for key, title, lines, empty in tables
        ],
    }


def preview_of(prompt: Prompt, before: ModelVersion | None) -> dict[str, Any]:
    """How what is being written reads, and what it says that the version before it does not."""
    old = prompt_of(before) if before else Prompt("", [])
    both = ({in_words(key): value for key, value in each.settings} for each in (old, prompt))
    return {
        "prompt": prompt,
        "variables": _variables(old, prompt),
        "text": text_difference(old, prompt) if before else None,
        "response_format": plain_difference(old.response_format, prompt.response_format),
        "settings": differing(lines_of(*both)),
    }


def _variables(before: Prompt, after: Prompt) -> dict[str, list[str]]:
    """Who fills the text in has to give new ones, and need not give those that went."""
    return {
        "added": [name for name in after.variables if name not in before.variables],
        "removed": [name for name in before.variables if name not in after.variables],
        "same": [name for name in after.variables if name in before.variables],
    }
