"""REST refuses anonymous callers everywhere; finer rights are asked by the services."""

from typing import Any

from rest_framework.permissions import BasePermission


class SignedIn(BasePermission):
    """An active account, by session or token."""

    def has_permission(self, request: Any, view: Any) -> bool:
        return bool(request.actor.is_active)
