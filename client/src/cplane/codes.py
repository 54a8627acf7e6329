"""What the exit code says, the same for every command."""

from __future__ import annotations

from controlplane_client import ControlPlaneError

DONE, FAILED, USAGE, GATE_FAILED, WAITING, REFUSED, CONFLICT = range(7)
OF_STATUS = {
    400: USAGE,
    401: REFUSED,
    403: REFUSED,
    409: CONFLICT,
    412: CONFLICT,
    422: CONFLICT,
    428: CONFLICT,
}
MEANINGS = {
    DONE: "done",
    FAILED: "failed: not found, unreachable, a job that failed, a file that differs",
    USAGE: "usage: an argument or a field holds something else than is allowed",
    GATE_FAILED: "a gate or a data contract failed",
    WAITING: "waiting for approval",
    REFUSED: "refused: not signed in, not allowed, rejected, expired or withdrawn",
    CONFLICT: "conflict: it has changed, or its state does not permit this",
}


def code_of(error: ControlPlaneError) -> int:
    return OF_STATUS.get(error.status, FAILED)
