"""Why a stack cannot start, in one sentence."""


class CannotStart(Exception):
    """Shown as it is to whoever typed the command; the exit code is 1."""
