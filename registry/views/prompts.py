"""Pages of prompts: registered models whose versions are texts."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render

from core.doors import PageRequest
from registry.forms import EditVersionForm
from registry.models import ModelVersion, RegisteredModel
from registry.prompts.pages import page_of_prompt, page_of_version


def prompt_page(request: PageRequest, model: RegisteredModel, *, may_see_access: bool) -> HttpResponse:
    """For a model that was found and is a prompt."""
    context = {**page_of_prompt(request, model), "may_see_access": may_see_access}
    return render(request, "registry/prompt_detail.html", context)


def prompt_version_page(
    request: PageRequest, version: ModelVersion, form: EditVersionForm | None = None
) -> HttpResponse:
    """For a version that was found; with what was typed, where that was refused."""
    context = page_of_version(request.actor, version, form)
    return render(request, "registry/prompt_version.html", context, status=422 if form else 200)
