"""Having a version scanned again."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from core.doors import PageRequest, sign_in_required
from registry.lookups import find_version
from registry.scans import services


@sign_in_required
@require_POST
def scan_version(request: PageRequest, name: str, number: int) -> HttpResponse:
    """A worker runs the scanners over the version's files."""
    services.request_scan(actor=request.actor, version=find_version(request, name, number))
    messages.success(request, "A worker scans the files in a sandbox.")
    return redirect("registry:version", name=name, number=number)
