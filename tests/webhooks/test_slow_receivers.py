"""A receiver that takes its time holds up one thread: no other receiver, and no other work."""

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from django.db import connections
from django.db.models.functions import Now

from controlplane.stack.processes import programs
from core.events import _handlers
from core.jobs.models import Job
from core.jobs.registry import kinds
from core.jobs.run import run_job
from workspace.webhooks import backends, lines, tasks
from workspace.webhooks.models import Delivery


class SlowReceiver:
    """Answers when it is let go, and counts how many it keeps waiting at once."""

    def __init__(self):
        self.go, self.lock, self.now, self.most, self.got = threading.Event(), threading.Lock(), 0, 0, 0
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                with receiver.lock:
                    receiver.now += 1
                    receiver.most = max(receiver.most, receiver.now)
                receiver.go.wait(20)
                with receiver.lock:
                    receiver.now, receiver.got = receiver.now - 1, receiver.got + 1
                self.send_response(200)
                self.end_headers()

            def log_message(self, *about):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/slow"
        threading.Thread(
            target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        ).start()


@pytest.fixture
def slow():
    receiver = SlowReceiver()
    yield receiver
    receiver.go.set()
    receiver.server.shutdown()
    receiver.server.server_close()


def in_thread(job_id):
    try:
        run_job(job_id)
    finally:
        connections.close_all()


def waiting():
    return list(
        Job.objects.due().filter(kind=tasks.DELIVER).order_by("created_at").values_list("pk", flat=True)
    )


@pytest.mark.django_db(transaction=True)
def test_a_slow_receiver_keeps_one_thread_and_the_others_get_theirs(
    make_webhook, receiver, slow, make_model, settings
):
    settings.WEBHOOK_TIMEOUT_SECONDS = 20
    make_webhook("registered_model.created", name="slow", url=slow.url)
    make_webhook("registered_model.created", name="well")
    for name in "abc":
        make_model(name)
    with ThreadPoolExecutor(2) as threads:
        first = [threads.submit(in_thread, each) for each in waiting()]
        deadline = time.monotonic() + 15
        while len(receiver.got) < 3 and time.monotonic() < deadline:
            time.sleep(0.02)
        assert (len(receiver.got), slow.got, slow.most) == (3, 0, 1)
        slow.go.set()
        [each.result() for each in first]
        while following := waiting():  # each that leaves calls up the next in line
            assert len(following) == 1
            threads.submit(in_thread, following[0]).result()
    assert (slow.got, slow.most) == (3, 1)
    assert set(Delivery.objects.values_list("status", flat=True)) == {"delivered"}
    assert lines._waiting == {}
    assert lines._called == set()


@pytest.mark.django_db
def test_what_a_dead_process_had_in_line_is_found(make_webhook, receiver, make_model, run_jobs):
    webhook, _ = make_webhook("registered_model.created")
    make_model("delays")
    delivery = Delivery.objects.get()
    assert lines.enter(webhook.pk, delivery.pk)
    run_jobs()
    assert receiver.got == []
    assert Job.objects.get(kind=tasks.DELIVER).result == {"status": "in line"}
    lines._called.clear()  # the process is gone, and its line with it
    lines._waiting.clear()
    Delivery.objects.update(created_at=Now() - timedelta(minutes=3))
    tasks.find_forgotten(None)
    run_jobs()
    assert len(receiver.got) == 1


@pytest.mark.django_db
@pytest.mark.parametrize("beginning", [b"", b"HTTP/1.1 200 OK\r\n"])
def test_a_receiver_that_drips_is_over_in_time(make_webhook, make_model, settings, monkeypatch, beginning, receiver):  # fmt: skip
    """Every byte comes within the time-out of a socket; together they would never end."""
    monkeypatch.setattr(backends, "CONNECT_SECONDS", 0.2)
    monkeypatch.setattr(backends, "READING_SECONDS", 0.1)
    settings.WEBHOOK_TIMEOUT_SECONDS = 0.5
    listener = socket.create_server(("127.0.0.1", 0))

    def drip():
        near, _ = listener.accept()
        with near:
            near.sendall(beginning or b"HTTP/1.1 200 OK\r\nX-A: ")
            try:
                while True:
                    near.sendall(b"X-A: 1\r\n" if beginning else b"a")
                    time.sleep(0.05)
            except OSError:
                return

    threading.Thread(target=drip, daemon=True).start()
    began = time.monotonic()
    answer = backends.call(f"http://127.0.0.1:{listener.getsockname()[1]}/", {}, "{}")
    listener.close()
    assert time.monotonic() - began < 2
    assert answer.status == 200 or answer.failure == backends.DRIPPED


def test_every_queue_that_work_is_put_into_has_a_worker():
    """A queue that nobody reads is work that is never done, and nothing says so."""
    served = set()
    for program in programs(1, 2, Path("sockets")):
        if "--queues" in program.command:
            served |= set(program.command[program.command.index("--queues") + 1].split(","))
    used = {kind.queue for kind in kinds.values()}
    used |= {queue for handlers in _handlers.values() for _, queue in handlers.values()}
    assert used <= served
    assert kinds[tasks.DELIVER].queue == "webhooks"
