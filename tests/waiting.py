"""Waiting for what another thread or process does."""

import time


def wait_for(condition, seconds=120):
    """Until ``condition()`` is true; fails the test after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"still waiting after {seconds} s"
        time.sleep(0.1)
