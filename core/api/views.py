"""What REST viewsets share: revisions (ETag, If-Match) and retries (Idempotency-Key)."""

import hashlib
import json
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils import timezone
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.models import IdempotentAnswer
from core.api.replaying import caller_class, require_still_seen
from core.errors import Conflict, Invalid, PreconditionFailed, PreconditionRequired, Unprocessable
from core.etags import etag_of

__all__ = ["IdempotentPosts", "etag_of", "require_match"]

KEY_HEADER = "Idempotency-Key"
MAX_KEY = 255
KEPT_FOR = timedelta(days=1)
# Edge waits no longer than two minutes for any answer.
LONGEST_ANSWER = timedelta(minutes=3)


def require_match(request: Any, current: str) -> None:
    """The caller must have seen the current revision: 428 without If-Match, 412 when stale."""
    sent = request.headers.get("If-Match")
    if not sent:
        raise PreconditionRequired("Send the ETag you read as If-Match, so that nobody's change is lost.")
    if sent != "*" and current not in [tag.strip() for tag in sent.split(",")]:
        raise PreconditionFailed(
            "It has changed since you read it. Read it again and repeat your change.",
            extra={"current_etag": current},
        )


class IdempotentPosts(APIView):
    """Mixin for viewsets: a POST repeated with its key and body gets the first answer again."""

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        self._answer_kept: IdempotentAnswer | None = None
        return super().dispatch(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        key = request.headers.get(KEY_HEADER)
        if request.method != "POST" or not key:
            return
        if len(key) > MAX_KEY or not key.isprintable():
            raise Invalid(f"{KEY_HEADER} is at most {MAX_KEY} printable characters.", field=KEY_HEADER)
        self._answer_kept = self._claim(request, key)

    def handle_exception(self, error: Exception) -> Response:
        if isinstance(error, _Replay):
            kept = error.answer
            return Response(
                None if not kept.body else json.loads(bytes(kept.body)),
                status=kept.status,
                headers={**kept.headers, "Idempotent-Replayed": "true"},
            )
        return super().handle_exception(error)

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        response = super().finalize_response(request, response, *args, **kwargs)
        if self._answer_kept is not None:
            response.add_post_render_callback(self._keep)
        return response

    def content_to_keep(self, response: Response) -> bytes:
        """What a repeated request is answered with; a view that answers a secret leaves it out."""
        return bytes(response.rendered_content)

    def addresses_spoken_of(self, request: Request) -> list[str]:
        """What the caller must still see to get an answer again, beside its place and Location."""
        return []

    def _claim(self, request: Request, key: str) -> IdempotentAnswer:
        digest = _digest_of(request)
        whose = {"account_id": request.actor.account_id, "asked_as": caller_class(request.actor), "key": key}
        mine = IdempotentAnswer.objects.filter(**whose)
        mine.filter(created_at__lt=Now() - KEPT_FOR).delete()
        try:
            with transaction.atomic():
                return IdempotentAnswer.objects.create(**whose, request_sha256=digest)
        except IntegrityError:
            first = mine.get()
        if first.request_sha256 != digest:
            raise Unprocessable(
                f"This {KEY_HEADER} was used with another body.", code="idempotency_key_reused"
            )
        if first.status is None and timezone.now() - first.created_at > LONGEST_ANSWER:
            raise Conflict(
                "The answer to the first request with this key was lost, since web stopped meanwhile."
                " Look whether it was done; if not, use another key.",
                code="idempotency_answer_lost",
            )
        if first.status is None:
            raise Conflict(
                "The first request with this key is still running.", code="idempotency_key_running"
            )
        require_still_seen(request, first, self.addresses_spoken_of(request))
        raise _Replay(first)

    def _keep(self, response: Response) -> None:
        kept = self._answer_kept
        if kept is None:
            return
        if response.status_code >= 500:
            kept.delete()
            return
        kept.status, kept.body = response.status_code, self.content_to_keep(response)
        kept.headers = {name: response[name] for name in ("Location", "ETag") if response.has_header(name)}
        kept.save(update_fields=["status", "body", "headers"])


def _digest_of(request: Request) -> str:
    """Of path and body; an upload is read where it was spooled, never as a whole."""
    digest = hashlib.sha256(request.path.encode() + b"\0")
    is_form = (request.content_type or "").startswith("multipart/")
    if not (is_form and any(isinstance(each, MultiPartParser) for each in request.parsers or ())):
        digest.update(request._request.body)
        return digest.hexdigest()
    fields: Any = request.data
    for name, values in sorted(fields.lists()):
        for value in values:
            digest.update(f"\0{name}\0".encode())
            for chunk in value.chunks() if hasattr(value, "chunks") else [str(value).encode()]:
                digest.update(chunk)
    return digest.hexdigest()


class _Replay(Exception):
    def __init__(self, answer: IdempotentAnswer) -> None:
        super().__init__("replayed")
        self.answer = answer
