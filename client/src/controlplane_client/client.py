"""The entrance: one object, one installation, one token."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Any

from controlplane_client.datasets import Datasets
from controlplane_client.deployments import Deployments
from controlplane_client.exports import Exports
from controlplane_client.jobs import Jobs
from controlplane_client.models import Models
from controlplane_client.records import Me
from controlplane_client.requests import PromotionRequests
from controlplane_client.resources import Resource, address
from controlplane_client.transport import Transport
from controlplane_client.versions import Versions

SECONDS = 60.0


class ControlPlane(Resource):
    """``ControlPlane("https://…", "cp_…")``; close it, or use it in a ``with``."""

    def __init__(self, url: str, token: str, *, timeout: float = SECONDS) -> None:
        super().__init__(Transport(url, token, timeout=timeout, agent=f"cplane/{_version()}"))
        self.models = Models(self._transport)
        self.versions = Versions(self._transport)
        self.datasets = Datasets(self._transport)
        self.requests = PromotionRequests(self._transport)
        self.deployments = Deployments(self._transport)
        self.exports = Exports(self._transport)
        self.jobs = Jobs(self._transport)

    @property
    def url(self) -> str:
        return self._transport.url

    def me(self) -> Me:
        """Who the token acts for."""
        return self._item(Me, address("me"))

    def call(self, method: str, path: str, **more: Any) -> Any:
        """Any other address below the installation, with the same retries and the same error."""
        return self._transport.json(method, path, **more)

    def close(self) -> None:
        self._transport.close()

    def __enter__(self) -> ControlPlane:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _version() -> str:
    try:
        return version("cplane")
    except PackageNotFoundError:
        return "source"
