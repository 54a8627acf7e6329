"""The whole stack, with one command: it starts, heals, refuses and leaves nothing behind."""

import http.client
import json
import os
import signal
import stat
import subprocess
import time

import pytest

from tests.stack.conftest import ORDINARY, Started, clean_environment, manage_words

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]

PROCESSES = {
    "postgres", "valkey", "edge", "web", "tracking", "worker-default", "worker-evaluations",
    "beat", "sealer", "agent", "gateway",
}  # fmt: skip


def ask(port, path):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    except OSError:
        return 0, ""
    finally:
        connection.close()


def wait_for(true, seconds=60):
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"not so after {seconds} s"
        time.sleep(0.2)


def test_every_process_runs_and_every_part_answers(stack):
    status = stack.status()
    assert status["running"] and status["ready"]
    assert {each["name"] for each in status["processes"]} == PROCESSES
    assert ask(stack.port, "/healthz")[0] == 200
    code, body = ask(stack.port, "/readyz")
    seen = json.loads(body)
    assert code == 200 and set(seen["parts"].values()) == {"ok"}
    assert seen["processes"] == dict.fromkeys(PROCESSES, "ok")
    assert "controlplane_part_up" in ask(stack.port, "/metrics")[1]
    assert stack.manage("status").returncode == 0


def test_starting_a_running_stack_says_so(stack):
    again = stack.up("--detach")
    assert again.returncode == 0
    assert again.stdout == f"The stack is already running: http://127.0.0.1:{stack.port}\n"


def test_secrets_are_for_their_owner_alone(stack):
    keys = list((stack.data_dir / "keys").iterdir())
    assert {"secret_key", "cp_app", "cp_owner", "valkey"} <= {key.name for key in keys}
    assert {stat.S_IMODE(key.stat().st_mode) for key in keys if key.is_file()} == {0o600}
    assert stat.S_IMODE(stack.data_dir.stat().st_mode) == 0o700
    written = [*(stack.data_dir / "logs").iterdir(), stack.data_dir / "run" / "stack.json"]
    assert {stat.S_IMODE(each.stat().st_mode) for each in written} == {0o600}
    facts = (stack.data_dir / "run" / "stack.json").read_text()
    assert not [key.name for key in keys if key.is_file() and key.read_text().strip() in facts]


def test_a_story_that_is_interrupted_says_how_to_begin_anew(stack):
    words = manage_words("play_demo", "--data-dir", stack.data_dir)
    with subprocess.Popen(
        words, env=clean_environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as story:
        assert story.stdout
        assert "The pages answer" in story.stdout.readline()
        story.send_signal(signal.SIGINT)
        said = story.communicate(timeout=60)[1]
    assert story.returncode == 130
    assert said.startswith("CommandError: The story was interrupted. It cannot go on from there.")
    assert "Traceback" not in said and f"PORT={stack.port} GATEWAY_PORT={stack.gateway_port}" in said


def test_a_killed_process_comes_back_alone(stack):
    wait_for(lambda: {each["state"] for each in stack.status()["processes"]} == {"running"})
    for name in ("web", "worker-default", "valkey"):
        former = stack.pid_of(name)
        os.kill(former, signal.SIGKILL)
        wait_for(lambda name=name, former=former: stack.pid_of(name) not in {0, former})
    wait_for(lambda: ask(stack.port, "/readyz")[0] == 200)


def test_the_database_keeps_what_was_committed_when_it_is_killed(stack):
    made = stack.manage("create_account", "somebody", "--role", "auditor")
    assert made.returncode == 0, made.stderr
    former = stack.pid_of("postgres")
    os.kill(former, signal.SIGKILL)
    # A server process that outlives its postmaster for a moment may still answer.
    wait_for(lambda: stack.pid_of("postgres") not in {None, 0, former})
    wait_for(lambda: ask(stack.port, "/readyz")[0] == 200)
    token = stack.manage("issue_token", "somebody", "--scope", "all")
    assert token.returncode == 0, token.stderr
    assert len(token.stdout.split()) == 1


def test_a_taken_port_is_refused_in_one_sentence(stack, private_folder):
    other = Started(private_folder / "refused", port=stack.port)
    done = other.up("--detach")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1 and f"Port {stack.port} cannot be used" in done.stderr
    assert not other.left()


def test_an_ordinary_user_runs_a_second_stack_beside_it(stack, private_folder):
    """In the foreground; its supervisor killed, nothing of it is left, and the first runs on."""
    second = Started(private_folder / "second", as_whom=ORDINARY)
    watched = second.watched()
    try:
        assert second.status()["database_user_mode"] == "own user"
        assert ask(second.port, "/readyz")[0] == 200
        wait_for(lambda: ask(stack.port, "/readyz")[0] == 200)  # whatever was killed before has healed
        os.kill(second.status()["supervisor_pid"], signal.SIGKILL)
        assert watched.wait(60) == 1
        assert not second.wait_until_gone()
        assert second.manage("status", "--json").returncode == 3
        assert ask(stack.port, "/readyz")[0] == 200
    finally:
        watched.kill()
        second.end()


def test_every_line_of_our_logs_is_structured(stack):
    """Also after processes were killed; the database and Valkey write in ways of their own."""
    for name in PROCESSES - {"postgres", "valkey"}:
        lines = (stack.data_dir / "logs" / f"{name}.log").read_text().splitlines()
        assert not [line for line in lines if not line.startswith("{")], name
        assert all(json.loads(line)["timestamp"] for line in lines)


def test_down_leaves_nothing_and_the_data_outlive_it(stack):
    assert stack.manage("down").returncode == 0
    assert not stack.left()
    assert stack.manage("status", "--json").returncode == 3
    assert stack.manage("down").stdout == "The stack is not running.\n"
    begun = stack.begun()
    wait_for(lambda: stack.status()["running"])
    # Somebody else, while it is starting: answered once it is ready.
    assert stack.up("--detach").stdout.startswith("The stack is already running: ")
    assert stack.status()["ready"]
    watched = stack.watched(begun)
    token = stack.manage("issue_token", "somebody", "--scope", "all")
    assert token.returncode == 0, token.stderr
    watched.send_signal(signal.SIGINT)
    assert watched.wait(90) == 0
    assert not stack.left()
