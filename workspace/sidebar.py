"""The sidebar: doors across all packages, in the order people work."""

from approvals.waiting import requests_blocked, requests_waiting
from core.frame import Link, add_link
from workspace.inbox import data_late, incidents_open, incidents_waiting, jobs_failed


def add_links() -> None:
    """Called once, when the application is ready."""
    for link in (
        Link(
            10,
            "Inbox",
            "/inbox/",
            "inbox",
            "g i",
            counts=(requests_waiting, requests_blocked, incidents_waiting, data_late, jobs_failed),
        ),
        Link(20, "Models", "/models/", "boxes", "g m"),
        Link(25, "My runs", "/runs/", "circle-play"),
        Link(30, "Approvals", "/approvals/", "shield-check", "g a", counts=(requests_waiting,)),
        Link(40, "Deployments", "/deployments/", "rocket", "g d"),
        Link(50, "Monitoring", "/monitoring/", "activity", "g o"),
        Link(60, "Incidents", "/incidents/", "siren", counts=(incidents_open,), hot=True),
        Link(70, "Data sets", "/data/", "database"),
        Link(75, "Pipelines", "/pipelines/", "workflow"),
        Link(80, "Costs", "/costs/", "circle-dollar-sign"),
        Link(90, "Audit trail", "/audit/", "scroll-text", right="audit"),
        Link(95, "Jobs", "/jobs/", "cpu"),
        Link(200, "People", "/admin/people/", "users", right="administer", admin=True),
        Link(202, "Groups", "/groups/", "users", right="administer", admin=True),
        Link(205, "Sources", "/admin/sources/", "database", right="administer", admin=True),
        Link(210, "Webhooks", "/admin/webhooks/", "link", right="administer", admin=True),
        Link(220, "System", "/admin/system/", "server", right="administer", admin=True),
    ):
        add_link(link)
