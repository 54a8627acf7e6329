"""Addresses below /api/v1/; a trailing slash is accepted and never needed."""

from typing import Any

from django.urls import re_path

from pipelines.api.contract_views import CheckViewSet, ContractRevisionViewSet, ContractViewSet
from pipelines.api.dataset_views import AlarmViewSet, DatasetVersionViewSet, DatasetViewSet
from pipelines.api.difference_views import DifferenceView
from pipelines.api.pipeline_views import PipelineViewSet, RunViewSet
from pipelines.api.query_views import QueryViewSet
from pipelines.api.reference_views import ReferenceViewSet

DATASET = r"^datasets/(?P<name>[^/]+)"
VERSION = DATASET + r"/versions/(?P<number>[0-9]+)"
RUNS = r"^pipelines/(?P<name>[^/]+)/runs"
RUN = RUNS + r"/(?P<key>[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"
LIST: Any = {"get": "list", "post": "create"}

urlpatterns: list[Any] = [
    re_path(r"^datasets/?$", DatasetViewSet.as_view(LIST), name="datasets"),
    re_path(
        DATASET + r"/?$",
        DatasetViewSet.as_view({"get": "retrieve", "patch": "partial_update"}),
        name="dataset",
    ),
    re_path(DATASET + r"/versions/?$", DatasetVersionViewSet.as_view(LIST), name="dataset-versions"),
    re_path(VERSION + r"/?$", DatasetVersionViewSet.as_view({"get": "retrieve"}), name="dataset-version"),
    re_path(
        VERSION + r"/content/?$",
        DatasetVersionViewSet.as_view({"get": "content"}),
        name="dataset-version-content",
    ),
    re_path(VERSION + r"/references/?$", ReferenceViewSet.as_view(LIST), name="dataset-version-references"),
    re_path(
        VERSION + r"/impact/?$",
        DatasetVersionViewSet.as_view({"get": "impact"}),
        name="dataset-version-impact",
    ),
    re_path(DATASET + r"/alarms/?$", AlarmViewSet.as_view({"get": "list"}), name="dataset-alarms"),
    re_path(
        VERSION + r"/quarantine/?$",
        DatasetVersionViewSet.as_view({"post": "quarantine"}),
        name="dataset-version-quarantine",
    ),
    re_path(
        VERSION + r"/release/?$",
        DatasetVersionViewSet.as_view({"post": "release"}),
        name="dataset-version-release",
    ),
    re_path(DATASET + r"/queries/?$", QueryViewSet.as_view(LIST), name="dataset-queries"),
    re_path(
        DATASET + r"/compare/?$",
        DifferenceView.as_view({"get": "retrieve", "post": "create"}),
        name="dataset-compare",
    ),
    re_path(
        DATASET + r"/contract/?$",
        ContractViewSet.as_view({"get": "retrieve", "put": "update"}),
        name="dataset-contract",
    ),
    re_path(
        DATASET + r"/contract/revisions/?$",
        ContractRevisionViewSet.as_view({"get": "list"}),
        name="dataset-contract-revisions",
    ),
    re_path(
        DATASET + r"/contract/proposal/?$",
        ContractViewSet.as_view({"get": "proposal"}),
        name="dataset-contract-proposal",
    ),
    re_path(
        DATASET + r"/contract/changes/?$",
        ContractViewSet.as_view({"get": "changes"}),
        name="dataset-contract-changes",
    ),
    re_path(
        DATASET + r"/contract/odcs/?$",
        ContractViewSet.as_view({"get": "export", "put": "take"}),
        name="dataset-contract-odcs",
    ),
    re_path(DATASET + r"/checks/?$", CheckViewSet.as_view(LIST), name="dataset-checks"),
    re_path(r"^pipelines/?$", PipelineViewSet.as_view({"get": "list"}), name="pipelines"),
    re_path(r"^pipelines/(?P<name>[^/]+)/?$", PipelineViewSet.as_view({"get": "retrieve"}), name="pipeline"),
    re_path(RUNS + r"/?$", RunViewSet.as_view(LIST), name="pipeline-runs"),
    re_path(RUN + r"/?$", RunViewSet.as_view({"get": "retrieve"}), name="pipeline-run"),
    re_path(RUN + r"/cancel/?$", RunViewSet.as_view({"post": "cancel"}), name="pipeline-run-cancel"),
]
