"""Edge's question before it keeps a large body: who sends it?"""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from accounts.authentication import about, session_actor, token_actor
from accounts.token_lookup import secret_from_header


@csrf_exempt  # changes nothing; the request it is asked for is checked when it comes
@require_POST
def signed_in(request: HttpRequest) -> HttpResponse:
    """204 with the account behind the token or session, else 401; nobody outside reaches this address."""
    secret = secret_from_header(request.META.get("HTTP_AUTHORIZATION", ""))
    actor = session_actor(request) if secret is None else token_actor(secret, **about(request))
    if actor is None or not actor.is_active:
        return HttpResponse(status=401)
    return HttpResponse(status=204, headers={"X-Controlplane-Account": str(actor.account_id)})
