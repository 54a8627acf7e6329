"""An endpoint's health in a few words and numbers, kept for lists.

Lists read these rows only, so their cost does not grow with what is watched.
"""

from __future__ import annotations

from typing import Any

from deployments.models import Endpoint
from monitoring.board import verdicts
from monitoring.board.drift import series_of
from monitoring.board.health import health_of
from monitoring.board.heat import heat_title
from monitoring.board.issues import issues_of, issues_title
from monitoring.board.quality import Quality, quality_title
from monitoring.board.scope import Scope
from monitoring.models import Watch


def summary_of(watch: Watch) -> dict[str, Any]:
    """The newest four weeks of an endpoint: a cell for each question, and the findings."""
    watch = Watch.objects.get(pk=watch.pk)
    endpoint = Endpoint.objects.select_related("model", "environment", "live__version").get(
        pk=watch.endpoint_id
    )
    scope = Scope(endpoint=endpoint, watch=watch)
    quality, series, health = Quality(scope), series_of(scope), health_of(scope)
    issues = issues_of(scope)
    cells = verdicts.strip(scope, quality, series, health, None)
    return {
        "tone": verdicts.worst_tone(cells),
        "cells": cells,
        "findings": {
            "quality": quality_title(quality),
            "drift": heat_title(series),
            "issues": issues_title(issues),
        },
        "open_issues": sum(each.is_open for each in issues),
        "version": scope.live.number if scope.live else None,
        "last_day": scope.last_day.isoformat() if scope.last_day else None,
    }
