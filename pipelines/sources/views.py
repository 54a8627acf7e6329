"""Pages about sources of data, for those who administer or audit."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from core.doors import PageRequest, sign_in_required
from core.errors import DomainError
from core.pages import Page
from pipelines.sources import rights, services
from pipelines.sources.forms import (
    BucketForm,
    DatabaseForm,
    RemovalForm,
    SourceGrantForm,
    SourceHolderForm,
)
from pipelines.sources.lookups import find_source
from pipelines.sources.models import Source, SourceAccountGrant, grants_on


@sign_in_required
@require_http_methods(["GET", "POST"])
def source_list(request: PageRequest) -> HttpResponse:
    """Every source; forms to name a database or a bucket."""
    _require_reader(request)
    is_bucket = request.GET.get("kind") != "sql"
    post = request.POST if request.method == "POST" else None
    bucket = BucketForm(post if is_bucket else None)
    database = DatabaseForm(None if is_bucket else post, names=_unnamed())
    form = bucket if is_bucket else database
    if post is not None and form.is_valid():
        try:
            source = services.add_source(
                actor=request.actor, kind="s3" if is_bucket else "sql", **form.cleaned_data
            )
        except DomainError as error:
            if error.field not in form.fields:
                raise
            form.add_error(error.field, str(error))
        else:
            messages.success(request, f"{source} is there; now say who may use it.")
            return redirect("sources:source", name=source.name)
    rows = Source.objects.visible_to(request.actor).select_related("created_by")
    context = {
        "page": Page(request, rows),
        "bucket": bucket,
        "database": database,
        "unnamed": _unnamed(),
        "hosts": settings.S3_SOURCE_ALLOWED_HOSTS,
        "may_administer": rights.may_administer(request.actor),
        "trail": [("Sources", "")],
    }
    return render(request, "pipelines/sources/source_list.html", context, status=422 if form.errors else 200)


@sign_in_required
@require_http_methods(["GET", "POST"])
def source_detail(request: PageRequest, name: str) -> HttpResponse:
    """Where it is and who may use it; a form to let somebody."""
    _require_reader(request)
    source, form = find_source(request.actor, name), SourceGrantForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            services.grant_use(actor=request.actor, source=source, **form.cleaned_data)
        except DomainError as error:
            if error.field not in form.fields:
                raise
            form.add_error(error.field, str(error))
        else:
            holder = form.cleaned_data["account"] or form.cleaned_data["group"]
            messages.success(request, f"{holder} may use {source}.")
            return redirect("sources:source", name=source.name)
    context = {
        "source": source,
        "granted": [_shown(each) for each in grants_on(source)],
        "form": form,
        "may_administer": rights.may_administer(request.actor),
        "trail": [("Sources", "/admin/sources/"), (source.name, "")],
    }
    return render(
        request, "pipelines/sources/source_detail.html", context, status=422 if form.errors else 200
    )


@sign_in_required
@require_POST
def revoke_use(request: PageRequest, name: str) -> HttpResponse:
    """Take the use of a source back."""
    _require_reader(request)
    source, form = find_source(request.actor, name), SourceHolderForm(request.POST)
    if form.is_valid():
        services.revoke_use(actor=request.actor, source=source, **form.cleaned_data)
        messages.success(request, "Revoked.")
    else:
        messages.error(request, " ".join(str(error) for each in form.errors.values() for error in each))
    return redirect("sources:source", name=source.name)


@sign_in_required
@require_POST
def remove_source(request: PageRequest, name: str) -> HttpResponse:
    """Nobody reads from it any more."""
    _require_reader(request)
    source, form = find_source(request.actor, name), RemovalForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Say why the source is removed.")
        return redirect("sources:source", name=source.name)
    services.remove_source(actor=request.actor, source=source, **form.cleaned_data)
    messages.success(request, f"{name} is removed.")
    return redirect("sources:sources")


def _unnamed() -> list[str]:
    """Databases of the environment that have no row yet."""
    known = set(Source.objects.filter(kind=Source.Kind.SQL).values_list("name", flat=True))
    return [each for each in settings.DATASETS_SQL_SOURCES if each not in known]


def _shown(grant: Any) -> dict[str, Any]:
    is_account = isinstance(grant, SourceAccountGrant)
    return {
        "grant": grant,
        "holder": grant.user.person.name if is_account else grant.group.name,
        "account": grant.user.username if is_account else "",
        "group": "" if is_account else grant.group.name,
        "is_shut_out": is_account and not grant.user.is_active,
    }


def _require_reader(request: PageRequest) -> None:
    if not rights.may_see_places(request.actor):
        raise Http404
