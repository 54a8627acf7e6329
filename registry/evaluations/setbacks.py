"""What a failed evaluation says against a version."""

from __future__ import annotations

from core.actors import Actor
from registry.answers import Answer
from registry.evaluations.models import Evaluation
from registry.models import ModelVersion, VersionDataset

AGAIN = "Mend the cause; its open promotion request, a new one, or Compare evaluates it again."


def failure_of(actor: Actor, version: ModelVersion) -> list[Answer]:
    """The newest evaluation of these bytes on the version's hold-out, if it failed."""
    held = VersionDataset.objects.filter(version=version, role=VersionDataset.Role.HOLDOUT)
    asked = Evaluation.objects.visible_to(actor).filter(
        candidate=version, candidate_digest=version.digest, dataset_version__in=held.values("dataset_version")
    )
    newest = asked.only("status", "failure").order_by("-created_at").first()
    if newest is None or newest.status != Evaluation.Status.FAILED:
        return []
    detail = f"{newest.said_failure} {AGAIN}"
    return [
        Answer(
            "bad", "circle-x", "Its evaluation failed", detail, newest.address, "The evaluation", forbids=True
        )
    ]
