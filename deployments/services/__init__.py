"""Every change to deployments starts here, whoever asks."""

from deployments.services.clearances import grant_clearance, require_deployable, revoke_clearance
from deployments.services.deploying import begin, fail_deployment, start_deployment
from deployments.services.endpoints import create_endpoint, endpoint_etag, ensure_endpoint, update_endpoint
from deployments.services.going_live import retire, roll_back, why_not_target
from deployments.services.rollouts import abort, advance, continue_rollout, mark_healthy, pause
from deployments.services.scorers import (
    Metered,
    meter,
    note_scorer_failed,
    note_scorer_ready,
    note_scorer_started,
    note_scorer_stopped,
)
from deployments.services.segments import SealedPart, note_sealed
from deployments.services.signing import require_signature, sign_and_roll_back

__all__ = [
    "Metered",
    "SealedPart",
    "abort",
    "advance",
    "begin",
    "continue_rollout",
    "create_endpoint",
    "endpoint_etag",
    "ensure_endpoint",
    "fail_deployment",
    "grant_clearance",
    "mark_healthy",
    "meter",
    "note_scorer_failed",
    "note_scorer_ready",
    "note_scorer_started",
    "note_scorer_stopped",
    "note_sealed",
    "pause",
    "require_deployable",
    "require_signature",
    "retire",
    "revoke_clearance",
    "roll_back",
    "sign_and_roll_back",
    "start_deployment",
    "update_endpoint",
    "why_not_target",
]
