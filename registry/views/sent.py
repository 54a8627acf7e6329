"""What was sent: by a form in the body, or by Undo in the address it posts to."""

from django.http import QueryDict

from core.doors import PageRequest


def sent(request: PageRequest, field: str) -> QueryDict:
    """The body, unless it lacks the field by which a form of ours is known."""
    return request.POST if field in request.POST or field not in request.GET else request.GET
