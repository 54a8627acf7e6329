"""``?sort=-created_at``: a view names the orders it offers, each with an index."""

from typing import Any

from django.db.models import QuerySet
from rest_framework.filters import BaseFilterBackend

from core.errors import Invalid


class Sorting(BaseFilterBackend):
    """The view's ``sorts`` maps each word to the columns it stands for; the first is the default."""

    def get_ordering(self, request: Any, queryset: QuerySet[Any], view: Any) -> tuple[str, ...]:
        asked = request.query_params.get("sort") or next(iter(view.sorts))
        if asked not in view.sorts:
            allowed = ", ".join(view.sorts)
            raise Invalid(f"sort must be one of: {allowed}.", field="sort", allowed=allowed)
        return tuple(view.sorts[asked])

    def filter_queryset(self, request: Any, queryset: QuerySet[Any], view: Any) -> QuerySet[Any]:
        return queryset.order_by(*self.get_ordering(request, queryset, view))

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        schema = {"type": "string", "enum": list(view.sorts)}
        return [{"name": "sort", "in": "query", "required": False, "schema": schema}]
