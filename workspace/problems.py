"""The page that the ``type`` of every problem answer points to; open to all, for it says nothing of anybody."""

from __future__ import annotations

from http import HTTPStatus
from inspect import isclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from core import errors

# What the frameworks refuse before a service of ours is asked.
OTHERS = {
    401: ("not_authenticated", "The request carries no live session or token."),
    405: ("method_not_allowed", "The address does not take this method; Allow names those it takes."),
    406: ("not_acceptable", "Answers are JSON, whatever Accept asks for."),
    415: ("unsupported_media_type", "The body is of a type that this address does not read."),
    429: ("rate_limited", "There were too many tries; Retry-After says when to come back."),
    500: ("internal", "A fault of ours; the request id finds it in the logs."),
}


def kinds() -> list[dict[str, object]]:
    """Every status, its general code, and what it means; from the refusals themselves."""
    ours = [each for each in vars(errors).values() if isclass(each) and issubclass(each, errors.DomainError)]
    rows = {
        each.status: (each.code, str(each.__doc__).splitlines()[0])
        for each in ours
        if each is not errors.DomainError
    }
    return [
        {"status": status, "phrase": HTTPStatus(status).phrase, "code": code, "says": says}
        for status, (code, says) in sorted({**OTHERS, **rows}.items())
    ]


@require_safe
def problem_page(request: HttpRequest) -> HttpResponse:
    """What each kind of refusal means, and how to read one."""
    return render(request, "workspace/problems.html", {"kinds": kinds()})
