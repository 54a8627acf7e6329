"""Addresses below /api/v1/; a trailing slash is accepted and never needed."""

from typing import Any

from django.urls import re_path

from deployments.api.deployment_views import DeploymentViewSet
from deployments.api.endpoint_views import (
    EndpointViewSet,
    EnvironmentViewSet,
    PredictionViewSet,
    TargetViewSet,
)

LIST = {"get": "list"}
ITEM = {"get": "retrieve"}
ENDPOINT = r"^endpoints/(?P<pk>[0-9a-fA-F-]{36})"
DEPLOYMENT = r"^deployments/(?P<pk>[0-9a-fA-F-]{36})"

urlpatterns: list[Any] = [
    re_path(r"^environments/?$", EnvironmentViewSet.as_view(LIST), name="environments"),
    re_path(r"^environments/(?P<name>[-\w]+)/?$", EnvironmentViewSet.as_view(ITEM), name="environment"),
    re_path(r"^targets/?$", TargetViewSet.as_view(LIST), name="targets"),
    re_path(r"^targets/(?P<name>[-\w]+)/?$", TargetViewSet.as_view(ITEM), name="target"),
    re_path(r"^endpoints/?$", EndpointViewSet.as_view({**LIST, "post": "create"}), name="endpoints"),
    re_path(ENDPOINT + r"/?$", EndpointViewSet.as_view({**ITEM, "patch": "partial_update"}), name="endpoint"),
    re_path(
        ENDPOINT + r"/rollback/?$", EndpointViewSet.as_view({"post": "rollback"}), name="endpoint-rollback"
    ),
    re_path(ENDPOINT + r"/predictions/?$", PredictionViewSet.as_view(LIST), name="endpoint-predictions"),
    re_path(
        ENDPOINT + r"/predictions/(?P<segment>[0-9a-fA-F-]{36})/?$",
        PredictionViewSet.as_view(ITEM),
        name="endpoint-prediction-segment",
    ),
    re_path(r"^deployments/?$", DeploymentViewSet.as_view({**LIST, "post": "create"}), name="deployments"),
    re_path(DEPLOYMENT + r"/?$", DeploymentViewSet.as_view(ITEM), name="deployment"),
    re_path(DEPLOYMENT + r"/pause/?$", DeploymentViewSet.as_view({"post": "pause"}), name="deployment-pause"),
    re_path(
        DEPLOYMENT + r"/continue/?$",
        DeploymentViewSet.as_view({"post": "resume"}),
        name="deployment-continue",
    ),
    re_path(DEPLOYMENT + r"/abort/?$", DeploymentViewSet.as_view({"post": "abort"}), name="deployment-abort"),
    re_path(
        DEPLOYMENT + r"/retire/?$", DeploymentViewSet.as_view({"post": "retire"}), name="deployment-retire"
    ),
]
