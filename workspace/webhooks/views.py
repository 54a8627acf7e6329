"""Pages of webhooks: is what happens here delivered?"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.db.models import Count, OuterRef, Q, Subquery
from django.db.models.functions import Now
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from core.doors import PageRequest, sign_in_required
from core.errors import Conflict, Invalid
from core.pages import Page
from core.text import checked_text
from registry.models import RegisteredModel
from registry.names import LONGEST_NAME
from workspace.webhooks import delivering, services
from workspace.webhooks.catalogue import words_of
from workspace.webhooks.forms import ChangedWebhookForm, WebhookForm
from workspace.webhooks.lookups import find_delivery, find_webhook
from workspace.webhooks.models import Delivery, Webhook
from workspace.webhooks.rights import may_manage

SHOWN_DELIVERIES = 25
DAY = timedelta(days=1)


@sign_in_required
@never_cache
@require_http_methods(["GET", "POST"])
def webhook_list(request: PageRequest) -> HttpResponse:
    """Every webhook with what became of its deliveries, and a form for a new one."""
    _require_some_reach(request)
    about = _chosen_model(request)
    new = {"is_for_one_model": not may_manage(request.actor, None)}
    form, created, secret = WebhookForm(request.POST or None, initial={"model": about}, **new), None, ""
    if request.method == "POST" and form.is_valid():
        try:
            created, secret = services.create_webhook(
                actor=request.actor, model=_model(request, form.cleaned_data["model"]), **form.changes()
            )
            form = WebhookForm(initial={"model": about}, **new)
        except Invalid as error:
            form.add_error(error.field if error.field in form.fields else None, error.message)
    page = Page(request, _counted(request, about))
    failed = sum(each.given_up for each in page.items)
    context = {
        "form": form,
        "created": created,
        "secret": secret,
        "page": page,
        "given_up": failed,
        "about": about,
    }
    return render(request, "webhooks/webhook_list.html", context, status=422 if form.errors else 200)


@sign_in_required
@never_cache
@require_http_methods(["GET", "POST"])
def webhook_detail(request: PageRequest, key: str) -> HttpResponse:
    """One webhook: what was sent with bodies and answers, and what may be changed."""
    webhook = find_webhook(request.actor, key)
    form = ChangedWebhookForm(request.POST or None, initial={"name": webhook.name, "url": webhook.url, "events": webhook.events})  # fmt: skip
    if request.method == "POST" and form.is_valid():
        try:
            services.update_webhook(actor=request.actor, webhook=webhook, **form.changes())
            messages.success(request, "The webhook is changed; the audit trail has it.")
            return redirect("webhooks:webhook", key=key)
        except Invalid as error:
            form.add_error(error.field if error.field in form.fields else None, error.message)
    return _detail(request, webhook, form, status=422 if form.errors else 200)


@sign_in_required
@never_cache
@require_POST
def new_secret(request: PageRequest, key: str) -> HttpResponse:
    """Shown this once; the former one signs too for a day."""
    webhook, secret = services.rotate_secret(actor=request.actor, webhook=find_webhook(request.actor, key))
    return _detail(request, webhook, ChangedWebhookForm(initial={"name": webhook.name, "url": webhook.url, "events": webhook.events}), secret=secret)  # fmt: skip


@sign_in_required
@require_POST
def test(request: PageRequest, key: str) -> HttpResponse:
    """Send example data and say what came back."""
    delivery = delivering.send_now(actor=request.actor, webhook=find_webhook(request.actor, key))
    if delivery.status == Delivery.Status.DELIVERED:
        messages.success(request, f"The receiver answered {delivery.response_status}.")
    else:
        messages.error(request, f"The test did not arrive. {delivery.failure}")
    return redirect("webhooks:webhook", key=key)


@sign_in_required
@require_POST
def change_state(request: PageRequest, key: str, change: str) -> HttpResponse:
    """Pause it, or let it be told again."""
    status = Webhook.Status.ACTIVE if change == "enable" else Webhook.Status.DISABLED
    webhook = find_webhook(request.actor, key)
    services.update_webhook(actor=request.actor, webhook=webhook, status=status)
    messages.success(request, f"{webhook.name} is {'enabled' if change == 'enable' else 'disabled'}.")
    return redirect("webhooks:webhook", key=key)


@sign_in_required
@require_POST
def delete(request: PageRequest, key: str) -> HttpResponse:
    webhook = find_webhook(request.actor, key)
    services.delete_webhook(actor=request.actor, webhook=webhook)
    messages.success(request, f"{webhook.name} is deleted; nothing more is sent to it.")
    return redirect("webhooks:webhooks")


@sign_in_required
@require_safe
def delivery_detail(request: PageRequest, key: str) -> HttpResponse:
    """One delivery: what was sent, when, and what came back."""
    delivery = find_delivery(request.actor, key)
    webhook = delivery.webhook
    context = {
        "delivery": delivery,
        "words": words_of(delivery.event),
        "body": json.dumps(json.loads(delivery.body), indent=2, ensure_ascii=False),
        "attempts": [
            {**each, "at": datetime.fromisoformat(each["at"])} for each in reversed(delivery.attempts)
        ],
        "may_replay": webhook.is_active and delivery.status != Delivery.Status.PENDING,
        "trail": [
            ("Webhooks", "/admin/webhooks/"),
            (webhook.name, f"/admin/webhooks/{webhook.pk}/"),
            (delivery.event, ""),
        ],
    }
    return render(request, "webhooks/delivery_detail.html", context)


@sign_in_required
@require_POST
def replay(request: PageRequest, key: str) -> HttpResponse:
    """Send one delivery again."""
    try:
        services.replay_delivery(actor=request.actor, delivery=find_delivery(request.actor, key))
        messages.success(request, "It is sent again.")
    except Conflict as error:
        messages.error(request, str(error))
    return redirect("webhooks:delivery", key=key)


def _detail(
    request: PageRequest, webhook: Webhook, form: Any, *, secret: str = "", status: int = 200
) -> HttpResponse:
    page = Page(request, webhook.deliveries.all(), size=SHOWN_DELIVERIES)
    context = {
        "webhook": webhook,
        "form": form,
        "secret": secret,
        "page": page,
        "rows": [(delivery, words_of(delivery.event)) for delivery in page],
        "state": _counted(request, "").filter(pk=webhook.pk).get(),
        "events": [words_of(each) for each in webhook.events],
        "trail": [("Webhooks", "/admin/webhooks/"), (webhook.name, "")],
    }
    return render(request, "webhooks/webhook_detail.html", context, status=status)


def _chosen_model(request: PageRequest) -> str:
    """``?model=`` narrows the page to one model's webhooks."""
    return checked_text(request.GET.get("model", ""), "model", LONGEST_NAME)


def _counted(request: PageRequest, model: str) -> Any:
    """With what the last day brought, and what the receiver said last."""
    last = Delivery.objects.filter(webhook=OuterRef("pk"), attempt_count__gt=0).order_by("-pk")
    lately = Q(deliveries__created_at__gt=Now() - DAY)
    rows = Webhook.objects.visible_to(request.actor)
    return (
        (rows.filter(model__name=model) if model else rows)
        .select_related("model")
        .annotate(
            last_at=Subquery(last.values("created_at")[:1]),
            last_response=Subquery(last.values("response_status")[:1]),
            last_failure=Subquery(last.values("failure")[:1]),
            arrived=Count("deliveries", filter=lately & Q(deliveries__status="delivered")),
            waiting=Count("deliveries", filter=Q(deliveries__status="pending")),
            given_up=Count(
                "deliveries", filter=lately & Q(deliveries__status="dead", deliveries__is_test=False)
            ),
        )
    )


def _model(request: PageRequest, name: str) -> RegisteredModel | None:
    if not name:
        return None
    model = RegisteredModel.objects.visible_to(request.actor).named(name).first()
    if model is None:
        raise Invalid(f"There is no registered model named {name!r}.", field="model")
    if not may_manage(request.actor, model):
        raise Invalid(f"You do not administer {model}.", field="model")
    return model


def _require_some_reach(request: PageRequest) -> None:
    """For who administers everything, or one model at least; for others there is no such page."""
    if not RegisteredModel.objects.granting(request.actor, "administer").exists() and not may_manage(
        request.actor, None
    ):
        raise Http404
