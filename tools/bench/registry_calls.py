"""The calls that are measured, and a client that costs less than what it measures."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import uuid
from typing import Any
from urllib.parse import quote, urlsplit

from registry_rows import VERSIONS

API = "/api/2.0/mlflow/"
# What is asked, by kind: each kind has its own goal.
KINDS = {
    "point read": ("get_model", "get_version", "get_by_alias", "latest_versions"),
    "write": ("create_model", "create_version", "set_alias", "set_model_tag", "set_version_tag"),
    "search or list": (
        "models_by_prefix", "models_by_infix", "models_by_tag", "models_by_two_tags", "newest_models",
        "list_models", "versions_of_model", "versions_by_run", "versions_by_tag", "list_versions",
    ),
    "model of 5,000 versions": ("hot_model", "hot_latest", "hot_by_alias", "hot_versions"),
}  # fmt: skip
# An ordinary call that each call on the hot model is held against.
ORDINARY = {"hot_model": "get_model", "hot_latest": "latest_versions", "hot_by_alias": "get_by_alias",
            "hot_versions": "versions_of_model"}  # fmt: skip
Call = tuple[str, str, dict[str, Any] | None]


class Calls:
    """Makes one request of each kind; ``models`` is how many there are to choose from."""

    def __init__(self, models: int, run: str) -> None:
        self.models, self.run = models, run
        self.draw, self.count, self.mark = random.Random(1), itertools.count(), uuid.uuid4().hex[:8]

    def _name(self) -> str:
        return f"m-{self.draw.randrange(self.models):07d}"

    def _number(self) -> int:
        return self.draw.randrange(self.models)

    @staticmethod
    def _get(path: str, **query: Any) -> Call:
        return (
            "GET",
            API + path + "?" + "&".join(f"{key}={quote(str(value))}" for key, value in query.items()),
            None,
        )

    @staticmethod
    def _post(path: str, **body: Any) -> Call:
        return "POST", API + path, body

    def get_model(self) -> Call:
        return self._get("registered-models/get", name=self._name())

    def get_version(self) -> Call:
        return self._get("model-versions/get", name=self._name(), version=1 + self._number() % VERSIONS)

    def get_by_alias(self) -> Call:
        return self._get("registered-models/alias", name=self._name(), alias="champion")

    def latest_versions(self) -> Call:
        return self._post("registered-models/get-latest-versions", name=self._name())

    def create_model(self) -> Call:
        tags = [{"key": "team", "value": "bench"}]
        return self._post("registered-models/create", name=f"z-{self.mark}-{next(self.count)}", tags=tags)

    def create_version(self) -> Call:
        source = f"runs:/{self.run}/model" if self.run else "s3://bucket/model"
        return self._post("model-versions/create", name=self._name(), source=source, run_id=self.run)

    def set_alias(self) -> Call:
        version = str(1 + self._number() % VERSIONS)
        return self._post("registered-models/alias", name=self._name(), alias="challenger", version=version)

    def set_model_tag(self) -> Call:
        return self._post("registered-models/set-tag", name=self._name(), key="note", value=uuid.uuid4().hex)

    def set_version_tag(self) -> Call:
        value = uuid.uuid4().hex
        return self._post("model-versions/set-tag", name=self._name(), version="1", key="note", value=value)

    def _models(self, **query: Any) -> Call:
        return self._get("registered-models/search", **{"max_results": 50, **query})

    def _versions(self, **query: Any) -> Call:
        return self._get("model-versions/search", **{"max_results": 50, **query})

    def models_by_prefix(self) -> Call:
        return self._models(filter=f"name LIKE '{self._name()[:-1]}%'")

    def models_by_infix(self) -> Call:
        return self._models(filter=f"name ILIKE '%{self._number():05d}%'")

    def models_by_tag(self) -> Call:
        return self._models(filter=f"tags.team = 'team-{self._number() % 20}'")

    def models_by_two_tags(self) -> Call:
        return self._models(filter=f"tags.team = 'team-{self._number() % 20}' AND tags.tier = 'gold'")

    def newest_models(self) -> Call:
        return self._models(order_by="last_updated_timestamp DESC")

    def list_models(self) -> Call:
        return self._models(max_results=100)

    def versions_of_model(self) -> Call:
        return self._versions(filter=f"name='{self._name()}'", max_results=100)

    def versions_by_run(self) -> Call:
        return self._versions(filter=f"run_id='{uuid.uuid4().hex}'", max_results=10)

    def versions_by_tag(self) -> Call:
        return self._versions(filter=f"tags.dataset = 'ds-{self._number() % 50}'")

    def list_versions(self) -> Call:
        return self._versions(max_results=100)

    def hot_model(self) -> Call:
        return self._get("registered-models/get", name="hot")

    def hot_latest(self) -> Call:
        return self._post("registered-models/get-latest-versions", name="hot")

    def hot_by_alias(self) -> Call:
        return self._get("registered-models/alias", name="hot", alias="champion")

    def hot_versions(self) -> Call:
        return self._versions(filter="name='hot'", max_results=100)


class Connection:
    """A minimal HTTP/1.1 client on one kept-alive connection: it must cost less than what it measures."""

    def __init__(self, url: str, token: str) -> None:
        self.host, self.port = urlsplit(url).hostname, urlsplit(url).port
        self.authorization = f"Authorization: Bearer {token}\r\n" if token else ""
        self.reader: Any = None
        self.writer: Any = None

    async def ask(self, call: Call) -> tuple[int, bytes]:
        method, path, body = call
        if self.writer is None:
            self.reader, self.writer = await asyncio.open_connection(self.host, self.port, limit=1 << 26)
        data = json.dumps(body).encode() if body is not None else b""
        head = f"{method} {path} HTTP/1.1\r\nHost: {self.host}:{self.port}\r\n{self.authorization}"
        head += f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
        self.writer.write(head.encode() + data)
        lines = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin1").split("\r\n")
        headers = {
            name.lower(): value for name, value in (line.split(": ", 1) for line in lines[1:] if ": " in line)
        }
        if headers.get("transfer-encoding") == "chunked":
            content = b""
            while size := int((await self.reader.readline()).strip(), 16):
                content += (await self.reader.readexactly(size + 2))[:-2]
            await self.reader.readexactly(2)
        else:
            content = await self.reader.readexactly(int(headers.get("content-length", 0)))
        if headers.get("connection", "").lower() == "close":
            self.writer.close()
            self.writer = None
        return int(lines[0].split()[1]), content
