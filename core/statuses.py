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
    "late": ("warn", "clock", "Late"),
    "passed": ("ok", "circle-check", "Passed"),
    "warned": ("warn", "triangle-alert", "Warning"),
    "deleted": ("mute", "circle-slash", "Deleted"),
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
    "ok": ("ok", "circle-check", "Done"),
    "denied": ("bad", "circle-slash", "Denied"),
    "active": ("ok", "circle-check", "Active"),
    "inactive": ("mute", "circle-slash", "Inactive"),
    "disabled": ("mute", "circle-pause", "Disabled"),
    "delivered": ("ok", "circle-check", "Delivered"),
    "dead": ("bad", "circle-x", "Given up"),
    "revoked": ("mute", "circle-slash", "Revoked"),
    "unknown": ("warn", "circle-help", "Unknown"),
}


def look_of(status: str) -> tuple[str, str, str]:
    """Tone, icon and default word of a status; an unknown one is shown as it is."""
    return LOOKS.get(status.lower(), ("mute", "circle-dot", status.replace("_", " ").capitalize()))


# How a refusal looks on a page: tone, icon, what failed, what to do.
PROBLEMS: dict[int, tuple[str, str, str, str]] = {
    400: ("warn", "triangle-alert", "This cannot be understood", "Go back, change what is named above and try again."),
    403: ("bad", "lock", "You may not do this", "An admin gives roles; who administers a model grants rights on it."),
    404: ("mute", "search", "Nothing here that you may see", "Check the address, or search with Ctrl K."),
    405: ("warn", "triangle-alert", "This address does not take that", "Go back and use the form of the page."),
    409: ("warn", "git-compare", "The state does not allow it", "Go back, load the page again and look at what is there now."),
    412: ("warn", "git-compare", "Somebody changed this meanwhile", "Go back, load the page again and look at the other change first."),
    413: ("warn", "triangle-alert", "This is too large", "Send less at once."),
    422: ("warn", "triangle-alert", "This contradicts what was sent before", "Go back and change what is named above."),
    428: ("warn", "triangle-alert", "It is not clear what you saw", "Go back, load the page again and repeat it there."),
    429: ("warn", "hourglass", "Too many tries", "Wait a minute, then try again."),
    500: ("bad", "circle-x", "The product failed", "Try again. If it fails again, give the request id to who runs this installation."),
    503: ("bad", "zap", "A part of the system does not answer", "Try again in a few seconds."),
}  # fmt: skip


def problem_look(status: int) -> tuple[str, str, str, str]:
    """Tone, icon, title and next step of an error page."""
    return PROBLEMS.get(int(status), PROBLEMS[500] if int(status) >= 500 else PROBLEMS[400])
