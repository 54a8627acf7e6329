"""Pages of prompts: registered models whose versions are texts."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from core.doors import PageRequest
from registry.models import ModelVersion, RegisteredModel
from registry.offers import offers
from registry.prompts.pages import page_of_prompt, page_of_version


def prompt_page(
    request: PageRequest, model: RegisteredModel, *, may_see_access: bool, status: int = 200, **answered: Any
) -> HttpResponse:
    """For a model that was found and is a prompt; with forms of its rail that were sent and refused."""
    context = {
        **page_of_prompt(request, model),
        "may_see_access": may_see_access,
        "offers": offers(request.actor, model, **answered),
    }
    return render(request, "registry/prompt_detail.html", context, status=status)


def prompt_version_page(
    request: PageRequest, version: ModelVersion, status: int = 200, **answered: Any
) -> HttpResponse:
    """For a version that was found; a text is not promoted, so nothing leads there."""
    form = answered.pop("describe", None)
    offered = offers(request.actor, version, **answered)
    context = {
        **page_of_version(request.actor, version, form),
        "offers": offered and {**offered, "promote_at": ""},
    }
    return render(request, "registry/prompt_version.html", context, status=status)
