"""One of our web servers: granian, with the application loaded before its workers are forked.

Loaded once and shared by fork, a second worker costs a few megabytes instead of seventy. Workers
die with their main process, so a killed server leaves nobody on its port.

    python -m controlplane.stack.server controlplane.wsgi:application wsgi --uds web.sock --workers 2
"""

from __future__ import annotations

import argparse
import gc
import importlib
from pathlib import Path
from typing import Any

from granian.constants import HTTPModes, Interfaces, Loops
from granian.log import LogLevels
from granian.server.mp import MPServer

from core.logs import log_what_nobody_catches, to_standard_error
from core.parent import die_with_parent

STRUCTURED = {"()": "core.logs.formatter"}


def load(target: str) -> Any:
    """The application; what stays for good leaves the garbage collector's rounds."""
    module, _, name = target.partition(":")
    application = getattr(importlib.import_module(module), name)
    gc.collect()
    gc.freeze()
    return application


def serve(options: argparse.Namespace) -> None:
    to_standard_error()  # Django's settings, where they are loaded, say more
    log_what_nobody_catches()
    application = load(options.target)

    def in_worker(_: str) -> Any:
        die_with_parent()
        return application

    if options.uds:
        options.uds.unlink(missing_ok=True)  # left by a server that was killed
    MPServer(
        options.target,
        address=options.host,
        port=options.port,
        uds=options.uds,
        uds_permissions=0o600 if options.uds else None,
        interface=Interfaces(options.interface),
        workers=options.workers,
        blocking_threads=options.blocking_threads,
        http=HTTPModes.http1,
        loop=Loops.auto,
        websockets=False,
        backlog=512,
        log_level=LogLevels.warning,
        log_dictconfig={"formatters": {"generic": STRUCTURED, "access": STRUCTURED}},
        respawn_failed_workers=True,
        workers_kill_timeout=10,
        process_name=f"controlplane {options.target.partition(':')[0]}",
    ).serve(target_loader=in_worker)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target", help="module:application")
    parser.add_argument("interface", choices=["asgi", "wsgi"])
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--uds", type=Path)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--blocking-threads", type=int, default=1)
    serve(parser.parse_args())


if __name__ == "__main__":
    main()
