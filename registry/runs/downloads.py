"""Handing out one file of a run to a browser."""

from __future__ import annotations

from django.http import FileResponse
from django.views.decorators.http import require_GET

from core.doors import PageRequest, sign_in_required
from registry import services
from registry.api.downloads import HEADERS
from registry.runs.files import opened
from registry.runs.sight import find_run


@sign_in_required
@require_GET
def run_file(request: PageRequest, run_id: str, path: str) -> FileResponse:
    """Saved, never shown: whatever it is, nothing of it runs under our address. The read is recorded."""
    run, model = find_run(request.actor, run_id), request.GET.get("model", "")
    content = opened(request.actor, run, path, model)
    services.note_run_download(actor=request.actor, run=run, path=path, logged_model_id=model)
    return FileResponse(
        content,
        as_attachment=True,
        filename=path.rsplit("/", 1)[-1],
        content_type="application/octet-stream",
        headers=HEADERS,
    )
