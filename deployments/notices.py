"""Waking gateways and agents: something about serving has changed."""

from django.db import connection

CHANNEL = "controlplane_routing"


def announce() -> None:
    """Tell every gateway and agent, once the caller's transaction has committed.

    Whoever misses it finds out at the next look, a second later.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, '')", [CHANNEL])
