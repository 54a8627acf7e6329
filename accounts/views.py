"""Pages about oneself: tokens and profile."""

from datetime import timedelta

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts import services
from accounts.forms import ProfileForm, TokenForm
from accounts.models import Account, ApiToken
from core.doors import sign_in_required


@sign_in_required
@never_cache
@require_http_methods(["GET", "POST"])
def token_list(request: HttpRequest) -> HttpResponse:
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
    context = {"form": form, "secret": secret, "tokens": tokens}
    return render(request, "accounts/token_list.html", context, status=422 if form.errors else 200)


@sign_in_required
@require_POST
def revoke_token(request: HttpRequest, pk: str) -> HttpResponse:
    """End a token at once."""
    token = get_object_or_404(ApiToken.objects.of(request.actor), pk=pk)
    services.revoke_token(actor=request.actor, token=token)
    messages.success(request, f"Token {token.name} is revoked.")
    return redirect("token-list")


@sign_in_required
@require_http_methods(["GET", "POST"])
def profile(request: HttpRequest) -> HttpResponse:
    """One's own settings."""
    account = Account.objects.select_related("person").get(pk=request.actor.account_id)
    form = ProfileForm(request.POST or None, initial={"time_zone": account.time_zone})
    if request.method == "POST" and form.is_valid():
        services.set_preferences(
            actor=request.actor, account=account, time_zone=form.cleaned_data["time_zone"]
        )
        messages.success(request, "Your settings are kept.")
        return redirect("profile")
    context = {"form": form, "account": account, "roles": sorted(request.actor.roles)}
    return render(request, "accounts/profile.html", context, status=422 if form.errors else 200)
