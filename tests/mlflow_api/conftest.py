"""The MLflow surface in this process, and, for the client, the real processes on real sockets."""

import http.client
import json
from urllib.parse import urlencode

import pytest

from tests.registry.conftest import make_model, make_row, make_version, tracking  # noqa: F401 - fixtures

API = "/api/2.0/mlflow/"


class Surface:
    """One person's calls; each answers the status and the JSON body."""

    def __init__(self, client):
        self.client = client

    def get(self, address, **query):
        return self.answer(self.client.get(f"{API}{address}?{urlencode(query, doseq=True)}"))

    def post(self, address, **body):
        return self.send("POST", address, json.dumps(body))

    def patch(self, address, **body):
        return self.send("PATCH", address, json.dumps(body))

    def delete(self, address, **body):
        return self.send("DELETE", address, json.dumps(body))

    def send(self, method, address, raw):
        return self.answer(
            self.client.generic(method, f"{API}{address}", raw, content_type="application/json")
        )

    @staticmethod
    def answer(response):
        assert response["Content-Type"] == "application/json", response.content[:300]
        return response.status_code, json.loads(response.content)


@pytest.fixture
def surface(token_client):
    """``surface(account)``: the registry as that account's MLflow client sees it."""

    def of(account, scopes=("all",)):
        return Surface(token_client(account, scopes))

    return of


@pytest.fixture
def sign_in(installation, monkeypatch):
    """``sign_in(account)``: MLflow's own client works as that account from now on."""
    import mlflow
    from mlflow import MlflowClient

    from accounts.actors import actor_for
    from accounts.services import issue_token

    mlflow.set_tracking_uri(None)  # what another test set would go before the environment
    monkeypatch.setenv("MLFLOW_TRACKING_URI", installation.url)
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    monkeypatch.delenv("MLFLOW_RUN_ID", raising=False)

    def as_account(account, scopes=("all",)):
        _, secret = issue_token(actor=actor_for(account), account=account, name="client", scopes=list(scopes))
        monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", secret)
        return MlflowClient()

    return as_account


@pytest.fixture
def token(installation, actor):
    """``token(account)``: the secret of a new token."""
    from accounts.services import issue_token

    def of(account, scopes=("all",)):
        return issue_token(actor=actor(account), account=account, name="raw", scopes=list(scopes))[1]

    return of


@pytest.fixture
def ask(installation):
    """``ask("GET", "/path")``: status, headers and body, on a connection of its own."""

    def send(method, path, body=None, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", installation.port, timeout=60)
        connection.putrequest(method, path, skip_accept_encoding=True)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if isinstance(body, dict):
            body = json.dumps(body).encode()
        if body is not None and "Transfer-Encoding" not in named:
            named.setdefault("Content-Length", str(len(body)))
        for name, value in named.items():
            connection.putheader(name, value)
        connection.endheaders(body)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, dict(answer.getheaders()), content

    return send
