"""Registered models and their aliases."""

from __future__ import annotations

from collections.abc import Iterator

from controlplane_client.errors import ControlPlaneError
from controlplane_client.records import Alias, Model
from controlplane_client.resources import Resource, address, given


class Models(Resource):
    def list(
        self, *, q: str | None = None, tier: str | None = None, sort: str | None = None
    ) -> Iterator[Model]:
        """Models one may see, whose name holds ``q``."""
        return self._items(Model, address("models"), q=q, tier=tier, sort=sort)

    def get(self, name: str) -> Model:
        return self._item(Model, address("models", name))

    def create(
        self,
        name: str,
        *,
        description: str | None = None,
        tier: str | None = None,
        tags: dict[str, str] | None = None,
    ) -> Model:
        body = given(name=name, description=description, tier=tier, tags=tags)
        return self._send(Model, address("models"), body)

    def ensure(self, name: str) -> Model:
        """The model of this name, made if there is none."""
        try:
            return self.get(name)
        except ControlPlaneError as error:
            if error.status != 404:
                raise
        return self.create(name)

    def update(
        self,
        name: str,
        *,
        etag: str | None = None,
        description: str | None = None,
        tier: str | None = None,
        new_name: str | None = None,
    ) -> Model:
        body = given(description=description, tier=tier, name=new_name)
        return self._change(Model, address("models", name), body, etag)

    def delete(self, name: str, *, reason: str = "", etag: str | None = None) -> None:
        path = address("models", name)
        seen = etag or self._item(Model, path).etag or "*"
        self._transport.call("DELETE", path, params={"reason": reason}, headers={"If-Match": seen})

    def aliases(self, name: str) -> Iterator[Alias]:
        return self._items(Alias, address("models", name, "aliases"))

    def set_alias(self, name: str, alias: str, version: int) -> Alias:
        """Point the alias at a version. A protected one answers 403 with the address of the request."""
        path, headers = address("models", name, "aliases", alias), {}
        try:
            headers = {"If-Match": self._item(Alias, path).etag or "*"}
        except ControlPlaneError as error:
            if error.status != 404:
                raise
        return self._read(Alias, "PUT", path, json={"version": version}, headers=headers)
