"""Django's own error answers, in our words: a page, or a problem document for machines."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.shortcuts import render

from core.api.problems import MEDIA_TYPE, problem
from core.middleware import MACHINE_PATHS

SENTENCES = {
    400: ("bad_request", "The request cannot be understood. Nothing has been changed."),
    403: ("forbidden", "This is not allowed. Nothing has been changed."),
    404: ("not_found", "There is nothing at this address, or you may not know of it."),
    405: (
        "method_not_allowed",
        "This address only takes what a form of ours sends. Nothing has been changed; go back to the page.",
    ),
    429: ("rate_limited", "There were too many tries from here. Nothing has been changed."),
    500: (
        "internal",
        "Something in the product failed. Nothing has been half-changed; the request id finds it in the logs.",
    ),
}


def _answer(request: HttpRequest, status: int, sentence: str = "") -> HttpResponse:
    code, detail = SENTENCES[status]
    detail = sentence or detail
    if request.path.startswith(MACHINE_PATHS):
        body = problem(status, code=code, detail=detail, request=request)
        return JsonResponse(body, status=status, content_type=MEDIA_TYPE)
    context = {
        "status": status,
        "problem": {"detail": detail, "request_id": getattr(request, "request_id", "")},
    }
    return render(request, "error.html", context, status=status)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _answer(request, 400)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _answer(request, 403)


def form_too_old(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's view for a form without a valid token: mostly a page that was open for too long."""
    sentence = "The form was open for too long, or it did not come from this site. Nothing has been changed."
    return _answer(request, 403, sentence)


class PagesForRefusedMethods:
    """Middleware: Django answers a method that a view does not take with nothing at all."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not isinstance(response, HttpResponseNotAllowed) or response.content:
            return response
        answer = _answer(request, 405)
        answer["Allow"] = response["Allow"]
        return answer


def too_many(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    answer = _answer(request, 429)
    answer["Retry-After"] = "60"
    return answer


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _answer(request, 404)


def broken(request: HttpRequest) -> HttpResponse:
    return _answer(request, 500)
