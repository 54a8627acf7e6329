"""Stopping ends the stack's own processes and nobody else's."""

import json
import subprocess

from controlplane.stack.stack import Stack


def test_a_stranger_who_got_the_supervisors_old_process_id_lives_on(tmp_path):
    """What a power cut leaves: the file names a process id that somebody else has by now."""
    stranger = subprocess.Popen(["sleep", "60"])
    try:
        (tmp_path / "run").mkdir()
        facts = {"supervisor_pid": stranger.pid, "environment": {"PUBLIC_URL": "http://127.0.0.1:1"}}
        (tmp_path / "run" / "stack.json").write_text(json.dumps(facts))
        assert not Stack(tmp_path).stop(seconds=0.2)
        assert stranger.poll() is None
        assert not (tmp_path / "run" / "stack.json").exists()
    finally:
        stranger.kill()
        stranger.wait()
