"""Handing out one file of a run, or all values of a metric, to a browser."""

from __future__ import annotations

import threading
from collections.abc import Iterator

from django.http import FileResponse, StreamingHttpResponse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_GET

from core.doors import PageRequest, sign_in_required
from core.errors import Unavailable
from registry import services
from registry.api.downloads import HEADERS
from registry.runs.curves import check_logged, lines_of
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


@sign_in_required
@require_GET
def run_metric_values(request: PageRequest, run_id: str) -> StreamingHttpResponse:
    """Every value of the metric ``?name=`` as CSV, for whoever may read the metric's page."""
    run, name = find_run(request.actor, run_id), request.GET.get("name", "")
    check_logged(run, name)
    saved_as = content_disposition_header(True, f"{run.id[:8]} {name.replace('/', ' ')}.csv")
    headers = {**HEADERS, "Content-Disposition": saved_as or "attachment"}
    lines = OneAtATime(lines_of(run, name))
    return StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8", headers=headers)


class OneAtATime:
    """Lines that are asked of the tracking server for as long as it takes: by one of web's few threads, no more."""

    _turn = threading.Lock()

    def __init__(self, lines: Iterator[str]) -> None:
        if not self._turn.acquire(blocking=False):
            raise Unavailable("The values of another metric are being read. Try again in a few seconds.")
        self._lines, self._has_turn = lines, True

    def __iter__(self) -> Iterator[str]:
        return self._lines

    def close(self) -> None:
        """Called by the server when the answer has ended, however it did."""
        if self._has_turn:
            self._has_turn = False
            self._turn.release()
