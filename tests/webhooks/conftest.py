"""A receiver that really listens, and webhooks that lead to it."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.mlflow_api.conftest import Surface
from tests.registry.conftest import make_model, make_row, make_version, tracking  # noqa: F401 - fixtures


class Receiver:
    """Keeps what it was sent; ``answers`` is used up from the front, then everything is 200."""

    def __init__(self):
        self.got, self.answers = [], []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook"
        threading.Thread(
            target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        ).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def _handler(receiver):
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                receiver.got.append((self.path, dict(self.headers), body))
                status, headers, text = receiver.answers.pop(0) if receiver.answers else (200, {}, "thanks")
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *about):
                pass

        return Handler


@pytest.fixture
def receiver(settings):
    settings.WEBHOOK_ALLOWED_HOSTS = ["127.0.0.1"]
    settings.WEBHOOK_TIMEOUT_SECONDS = 2
    listening = Receiver()
    yield listening
    listening.stop()


@pytest.fixture
def make_webhook(admin, actor, receiver):
    """``make_webhook("registry.model_deleted")``: a webhook of the admin, and its secret."""
    from workspace.webhooks import services

    def make(*events, name="hook", url="", **more):
        return services.create_webhook(
            actor=actor(admin), name=name, url=url or receiver.url, events=list(events), **more
        )

    return make


@pytest.fixture
def surface(token_client):
    def of(account, scopes=("all",)):
        return Surface(token_client(account, scopes))

    return of
