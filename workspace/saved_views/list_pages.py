"""The list pages whose views can be kept, and what the address of each may carry."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from django import forms

from approvals.models import PromotionRequest
from audit.filters import NAMES as AUDIT_FILTERS
from audit.filters import filtered
from audit.models import Event
from core.actors import Actor
from core.errors import Invalid, NotFound
from core.filters import asked
from core.jobs.models import Job
from core.text import checked_text
from deployments.forms import DeploymentFilterForm
from monitoring.incidents.forms import IncidentFilterForm
from pipelines.forms import DatasetFilterForm
from registry.forms import ModelFilterForm
from registry.overview import SORTS
from workspace.saved_views.models import LONGEST_QUERY

# Where somebody was in the list is no part of a view.
POSITIONS = frozenset({"before", "after"})
Check = Callable[[dict[str, str]], object]


@dataclass(frozen=True)
class ListPage:
    """``check`` raises Invalid for values that the page itself would refuse."""

    key: str
    word: str
    address: str
    icon: str
    names: tuple[str, ...]
    check: Check
    right: str = ""


class ApprovalsFilterForm(forms.Form):
    model = forms.CharField(required=False, max_length=256)
    status = forms.ChoiceField(required=False, choices=PromotionRequest.Status.choices)


class JobsFilterForm(forms.Form):
    status = forms.ChoiceField(required=False, choices=Job.Status.choices)


def _of_form(form: type[forms.Form], *sorts: str) -> tuple[tuple[str, ...], Check]:
    """Names and check of a page that narrows by a form and, with ``sorts``, has an order."""

    def check(values: dict[str, str]) -> None:
        asked(form(values))
        if sorts and values.get("sort", sorts[0]) not in sorts:
            allowed = ", ".join(sorts)
            raise Invalid(f"sort must be one of: {allowed}.", field="sort", allowed=allowed)

    return (*form.base_fields, *(["sort"] if sorts else [])), check


def _of_audit(values: dict[str, str]) -> None:
    filtered(Event.objects.none(), values)


LIST_PAGES = {
    page.key: page
    for page in (
        ListPage("models", "Models", "/models/", "boxes", *_of_form(ModelFilterForm, *SORTS)),
        ListPage("approvals", "Approvals", "/approvals/", "shield-check", *_of_form(ApprovalsFilterForm)),
        ListPage("deployments", "Deployments", "/deployments/", "rocket", *_of_form(DeploymentFilterForm)),
        ListPage("incidents", "Incidents", "/incidents/", "siren", *_of_form(IncidentFilterForm)),
        ListPage("data", "Data sets", "/data/", "database", *_of_form(DatasetFilterForm, "name", "newest")),
        ListPage("audit", "Audit trail", "/audit/", "scroll-text", AUDIT_FILTERS, _of_audit, right="audit"),
        ListPage("jobs", "Jobs", "/jobs/", "cpu", *_of_form(JobsFilterForm)),
    )
}


def find_list_page(actor: Actor, key: str) -> ListPage:
    """The page of this key, if the actor may open it; 404 alike for what is not and what may not be seen."""
    page = LIST_PAGES.get(key)
    if page is None or (page.right and not actor.holds_everywhere(page.right)):
        raise NotFound(f"There is no list page {key[:40]!r}; the pages are {', '.join(LIST_PAGES)}.")
    return page


def query_of(page: ListPage, values: Mapping[str, str]) -> str:
    """What of an address makes the view, always written alike; empty for the page as it opens."""
    return urlencode([(name, values[name]) for name in page.names if values.get(name)])


def checked_query(page: ListPage, query: str) -> str:
    """``query`` as ``query_of`` writes it, or Invalid naming the filter at fault and what is allowed."""
    try:
        pairs = parse_qsl(checked_text(query, "query", LONGEST_QUERY), errors="strict", max_num_fields=40)
    except ValueError:
        raise Invalid("query is no query string.", field="query", allowed="name=value&name=value") from None
    values = {name: value for name, value in pairs if name not in POSITIONS}
    allowed = ", ".join(page.names)
    for name in values:
        if name not in page.names:
            raise Invalid(
                f"{name[:40]} is no filter of {page.word}; they are {allowed}.",
                field="query",
                allowed=allowed,
            )
    page.check(values)
    if not (written := query_of(page, values)):
        raise Invalid("Choose a filter or an order first.", field="query", allowed=allowed)
    if len(written) > LONGEST_QUERY:
        raise Invalid(
            f"query is longer than {LONGEST_QUERY} characters.", field="query", allowed=LONGEST_QUERY
        )
    return written
