"""Pages about oneself: tokens and profile."""

from datetime import timedelta

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts import services
from accounts.forms import ProfileForm, TokenForm
from accounts.models import Account, ApiToken
from accounts.roles import PHRASES, ROLES
from core.doors import PageRequest, sign_in_required


@sign_in_required
@never_cache
@require_http_methods(["GET", "POST"])
def token_list(request: PageRequest) -> HttpResponse:
    """One's own tokens; a new one is shown this once."""
    form, secret = TokenForm(request.POST or None), ""
    if request.method == "POST" and form.is_valid():
        account = Account.objects.get(pk=request.actor.account_id)
        _, secret = services.issue_token(
            actor=request.actor,
            account=account,
            name=form.cleaned_data["name"],
            scopes=form.cleaned_data["scopes"],
            lifetime=timedelta(days=form.cleaned_data["days"]),
        )
        form = TokenForm()
    tokens = ApiToken.objects.of(request.actor).filter(purpose="personal").order_by("-created_at")[:100]
    snippet = (
        f"export MLFLOW_TRACKING_URI={settings.PUBLIC_URL}\nexport MLFLOW_TRACKING_TOKEN={secret or 'cp_…'}"
    )
    context = {"form": form, "secret": secret, "snippet": snippet, "tokens": tokens, "now": timezone.now()}
    return render(request, "accounts/token_list.html", context, status=422 if form.errors else 200)


@sign_in_required
@require_POST
def revoke_token(request: PageRequest, pk: str) -> HttpResponse:
    """End a token at once."""
    token = get_object_or_404(ApiToken.objects.of(request.actor), pk=pk)
    services.revoke_token(actor=request.actor, token=token)
    messages.success(request, f"Token {token.name} is revoked.")
    return redirect("token-list")


@sign_in_required
@require_http_methods(["GET", "POST"])
def profile(request: PageRequest) -> HttpResponse:
    """One's own settings."""
    account = Account.objects.select_related("person").get(pk=request.actor.account_id)
    initial = {"time_zone": account.time_zone, "theme": request.COOKIES.get("theme", "")}
    form = ProfileForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        services.set_preferences(
            actor=request.actor, account=account, time_zone=form.cleaned_data["time_zone"]
        )
        messages.success(request, "Your settings are kept.")
        return _with_theme(redirect("profile"), form.cleaned_data["theme"])
    roles = [
        (PHRASES[role], ", ".join(sorted(ROLES[role])).replace("_", " "))
        for role in sorted(request.actor.roles & ROLES.keys())
    ]
    teams = sorted(request.actor.roles - ROLES.keys())
    context = {"form": form, "account": account, "roles": roles, "teams": teams}
    return render(request, "accounts/profile.html", context, status=422 if form.errors else 200)


def _with_theme(response: HttpResponse, theme: str) -> HttpResponse:
    """The theme belongs to the browser, so that it is right before the page is drawn."""
    if theme:
        response.set_cookie(
            "theme", theme, max_age=365 * 86400, samesite="Lax", secure=settings.SESSION_COOKIE_SECURE
        )
    else:
        response.delete_cookie("theme", samesite="Lax")
    return response
