"""Expected refusals: each carries a sentence fit for the person who asked."""

from typing import Any


class DomainError(Exception):
    """A request that cannot be granted; one handler turns it into a page, another into JSON.

    ``code`` is a stable machine word, ``field`` names the input at fault and ``allowed`` says
    what it may hold; ``headers`` go with the answer.
    """

    status = 400
    code = "refused"
    title = "Refused"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        field: str | None = None,
        allowed: Any = None,
        extra: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.field = field
        self.allowed = allowed
        self.extra = extra or {}
        self.headers = headers or {}

    def __str__(self) -> str:
        return self.message


class Invalid(DomainError):
    """The input is wrong; nothing has changed."""

    status, code, title = 400, "invalid", "Invalid input"


class NotAllowed(DomainError):
    """The actor may know the object but not do this to it. Always audited."""

    status, code, title = 403, "not_allowed", "Not allowed"


class NotFound(DomainError):
    """The object does not exist, or the actor may not know that it does."""

    status, code, title = 404, "not_found", "Not found"


class Conflict(DomainError):
    """The object is not in a state that permits this."""

    status, code, title = 409, "conflict", "Conflict"


class ProbedName(Conflict):
    """Taken by what the caller may not see: said like any taken name, and kept in the ledger."""


class PreconditionFailed(DomainError):
    """The revision the caller saw is no longer the current one (RFC 9110, If-Match)."""

    status, code, title = 412, "stale_revision", "Stale revision"


class TooLarge(DomainError):
    """The content is larger than this place accepts."""

    status, code, title = 413, "too_large", "Too large"


class RangeNotSatisfiable(DomainError):
    """The content has none of the bytes that are asked for (RFC 9110, Range)."""

    status, code, title = 416, "range_not_satisfiable", "Range not satisfiable"


class Unprocessable(DomainError):
    """Well-formed, yet contradicting what was sent before."""

    status, code, title = 422, "unprocessable", "Unprocessable"


class PreconditionRequired(DomainError):
    """The caller must say which revision it saw (RFC 6585)."""

    status, code, title = 428, "revision_required", "Revision required"


class Unavailable(DomainError):
    """A part of the system does not answer; nothing has changed."""

    status, code, title = 503, "unavailable", "Unavailable"


class TryLater(Unavailable):
    """It may answer in a moment: a job is tried again, with growing pauses, before it fails."""
