"""Pages of webhooks, and MLflow's addresses for them."""

from typing import Any

from django.urls import path

from workspace.webhooks import doors, views

app_name = "webhooks"
PAGES = "admin/webhooks"
MLFLOW = ("api/2.0/mlflow/webhooks", "ajax-api/2.0/mlflow/webhooks")

urlpatterns: list[Any] = [
    path(f"{PAGES}/", views.webhook_list, name="webhooks"),
    path(f"{PAGES}/deliveries/<uuid:key>/", views.delivery_detail, name="delivery"),
    path(f"{PAGES}/deliveries/<uuid:key>/replay/", views.replay, name="replay"),
    path(f"{PAGES}/<uuid:key>/", views.webhook_detail, name="webhook"),
    path(f"{PAGES}/<uuid:key>/secret/", views.new_secret, name="new-secret"),
    path(f"{PAGES}/<uuid:key>/test/", views.test, name="test"),
    path(f"{PAGES}/<uuid:key>/delete/", views.delete, name="delete"),
    path(f"{PAGES}/<uuid:key>/enable/", views.change_state, {"change": "enable"}, name="enable"),
    path(f"{PAGES}/<uuid:key>/disable/", views.change_state, {"change": "disable"}, name="disable"),
]
for _prefix in MLFLOW:
    urlpatterns += [
        path(_prefix, doors.webhooks),
        path(f"{_prefix}/<str:webhook_id>", doors.webhook),
        path(f"{_prefix}/<str:webhook_id>/test", doors.webhook_test),
    ]
