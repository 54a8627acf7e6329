"""The evaluation that scored both versions on the same rows, seen from the older to the newer."""

from __future__ import annotations

from typing import Any

from django.db.models import Q

from core.actors import Actor
from registry.evaluations.models import Evaluation
from registry.evaluations.verdicts import metric_rows
from registry.models import ModelVersion

OPPOSITE = {"Better": ("Worse", "bad", "circle-x"), "Worse": ("Better", "ok", "circle-check")}


def shared_evaluations(actor: Actor, a: ModelVersion, b: ModelVersion) -> list[Evaluation]:
    """Finished evaluations of one against the other on the bytes both have now, newest first."""
    pair = Q(candidate=b, champion=a, candidate_digest=b.digest, champion_digest=a.digest) | Q(
        candidate=a, champion=b, candidate_digest=a.digest, champion_digest=b.digest
    )
    found = Evaluation.objects.visible_to(actor).filter(
        pair, status=Evaluation.Status.SUCCEEDED, is_data_seen=True
    )
    return list(
        found.select_related("candidate__model", "champion", "dataset_version__dataset")
        .defer("slices")
        .order_by("-created_at")[:10]
    )


def rows_from(evaluation: Evaluation, a: ModelVersion) -> list[dict[str, Any]]:
    """Rows of ``verdicts.metric_rows`` with ``champion`` being ``a``, whichever way it was asked."""
    rows = metric_rows(evaluation)
    return rows if evaluation.champion_id == a.pk else [_turned(row) for row in rows]


def _turned(row: dict[str, Any]) -> dict[str, Any]:
    verdict, tone, icon = OPPOSITE.get(row["verdict"], (row["verdict"], row["tone"], row["icon"]))
    return {
        **row,
        "candidate": row["champion"],
        "champion": row["candidate"],
        "difference": _minus(row["difference"]),
        "low": _minus(row["high"]),
        "high": _minus(row["low"]),
        "verdict": verdict,
        "tone": tone,
        "look": f"t-{tone}" if tone != "n" else "t2",
        "icon": icon,
    }


def _minus(value: float | None) -> float | None:
    return None if value is None else -value
