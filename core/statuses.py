"""How each status looks: tone, icon and word. Colour is never the only sign."""

LOOKS: dict[str, tuple[str, str, str]] = {
    # work
    "queued": ("mute", "clock", "Queued"),
    "running": ("info", "loader-circle", "Running"),
    "succeeded": ("ok", "circle-check", "Succeeded"),
    "failed": ("bad", "circle-x", "Failed"),
    "cancelled": ("mute", "circle-slash", "Cancelled"),
    # versions and data
    "pending": ("info", "circle-dot", "Pending"),
    "pending_registration": ("info", "loader-circle", "Hashing"),
    "ready": ("ok", "circle-check", "Ready"),
    "failed_registration": ("bad", "circle-x", "Registration failed"),
    "quarantined": ("warn", "triangle-alert", "Quarantined"),
    "passed": ("ok", "circle-check", "Passed"),
    "warned": ("warn", "triangle-alert", "Warning"),
    # requests
    "draft": ("mute", "pencil", "Draft"),
    "approved": ("ok", "badge-check", "Approved"),
    "rejected": ("bad", "circle-x", "Rejected"),
    "expired": ("mute", "hourglass", "Expired"),
    "changes_requested": ("warn", "message-square", "Changes requested"),
    "deployed": ("ok", "rocket", "Deployed"),
    "superseded": ("mute", "layers", "Superseded"),
    # deployments
    "leased": ("info", "loader-circle", "Leased"),
    "starting": ("info", "loader-circle", "Starting"),
    "health_check": ("info", "activity", "Health check"),
    "rolling_out": ("info", "rocket", "Rolling out"),
    "paused": ("warn", "circle-pause", "Paused"),
    "live": ("ok", "circle-check", "Live"),
    "standby": ("mute", "circle-dashed", "Standby"),
    "retired": ("mute", "minus", "Retired"),
    "rolling_back": ("warn", "undo-2", "Rolling back"),
    "rolled_back": ("bad", "undo-2", "Rolled back"),
    "aborted": ("bad", "circle-slash", "Aborted"),
    # incidents and people
    "open": ("bad", "siren", "Open"),
    "acknowledged": ("warn", "eye", "Acknowledged"),
    "resolved": ("ok", "circle-check", "Resolved"),
    "ok": ("ok", "circle-check", "OK"),
    "denied": ("bad", "circle-slash", "Denied"),
    "active": ("ok", "circle-check", "Active"),
    "inactive": ("mute", "circle-slash", "Inactive"),
    "revoked": ("mute", "circle-slash", "Revoked"),
    "unknown": ("warn", "circle-help", "Unknown"),
}


def look_of(status: str) -> tuple[str, str, str]:
    """Tone, icon and default word of a status; an unknown one is shown as it is."""
    return LOOKS.get(status.lower(), ("mute", "circle-dot", status.replace("_", " ").capitalize()))
