"""Pages about costs."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.sight import require_sight
from core.doors import PageRequest, sign_in_required
from core.errors import Invalid
from core.money import money
from monitoring import rights
from monitoring.board import scope, spending
from monitoring.costs import services
from monitoring.costs.forms import PriceForm
from monitoring.costs.models import PriceRule


@sign_in_required
@require_http_methods(["GET", "POST"])
def cost_page(request: PageRequest) -> HttpResponse:
    """What is spent, on which model, and at which prices."""
    require_sight(request.actor)
    form = PriceForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            rule = services.set_price(actor=request.actor, **form.as_given())
        except Invalid as error:
            form.add_error(error.field if error.field in form.fields else None, error.message)
        else:
            messages.success(request, f"{rule}. The days since are being priced again.")
            return redirect("monitoring:costs")
    chosen = request.GET.get("range") or "28d"
    if chosen not in scope.RANGES:
        raise Invalid(
            "range must be one of: 24h, 7d, 28d, 90d.", field="range", allowed=", ".join(scope.RANGES)
        )
    whole, models = spending.of_everything(request.actor, chosen)
    context = {
        "ranges": [(key, words, key == chosen) for key, words in scope.RANGE_WORDS.items()],
        "title": spending.cost_title(whole, "all costs") if whole.by_key else "Nothing has been metered yet",
        **_summary(whole),
        "figure": spending.cost_figure(
            whole, "Cost per day and model", "Metered use times price rules, by the day served, USD"
        ),
        "rows": [_row(name, models[name], whole) for name in whole.by_key],
        "rules": PriceRule.objects.filter(retired_at__isnull=True).order_by("resource", "-valid_from"),
        "form": form,
        "may_set_prices": rights.may_set_prices(request.actor),
    }
    return render(request, "monitoring/cost_page.html", context, status=422 if form.errors else 200)


def _summary(whole: spending.Spending) -> dict[str, str]:
    """The four figures; before anything is metered none of them is zero, they are not known."""
    if not whole.by_key:
        return dict.fromkeys(("total", "a_day", "per_1000", "predictions"), "unknown yet")
    return {
        "total": money(whole.total),
        "a_day": money(whole.a_day),
        "per_1000": money(whole.per_1000),
        "predictions": f"{whole.predictions:,}",
    }


def _row(name: str, spent: spending.Spending, whole: spending.Spending) -> dict[str, object]:
    return {
        "name": name,
        "is_model": name != "Not of one model",
        "total": money(spent.total),
        "share": float(spent.total / whole.total) if whole.total else 0.0,
        "parts": [(activity, money(sum(days.values()))) for activity, days in spent.by_key.items()],
        "predictions": spent.predictions,
        "per_1000": money(spent.per_1000),
        "spark": [float(amount) for amount in spent.by_day],
    }
