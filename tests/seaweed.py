"""A real S3: SeaweedFS from its wheel, on loopback, in a folder that is gone afterwards."""

import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from controlplane.stack.places import free_port

WEED = Path(sys.executable).with_name("weed")
STARTING_SECONDS = 60
SECURITY = "\n".join(
    f'[{section}]\nkey = "{secrets.token_hex(24)}"'
    for section in ("jwt.signing", "jwt.filer_signing", "jwt.filer_signing.read")
)
PORTS = ("master", "volume", "filer", "s3", "admin")


class SeaweedFS:
    """One ``weed mini`` with keys of its own."""

    bucket = "controlplane"

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="cpweed-"))
        self.access_key, self.secret_key = secrets.token_hex(8), secrets.token_hex(16)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.grpc = {name: free_port() for name in PORTS}
        self.process: subprocess.Popen | None = None

    def start(self) -> "SeaweedFS":
        (self.folder / "security.toml").write_text(SECURITY)
        environment = {
            **os.environ,
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "TMPDIR": str(self.folder),
        }
        with (self.folder / "weed.log").open("ab") as log:
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *self._command()],
                cwd=self.folder,
                env=environment,
                stdout=log,
                stderr=log,
            )
        self._wait()
        return self

    def stop(self) -> None:
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
        for name, port in self.grpc.items():
            Path(f"/tmp/seaweedfs-{name}-grpc-{port}.sock").unlink(missing_ok=True)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(20)

    def client(self):
        return boto3.client(
            "s3",
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}, read_timeout=10),
        )

    def environment(self) -> dict[str, str]:
        """How a process of ours is told to use it."""
        return {
            "S3_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_DEFAULT_REGION": "us-east-1",
        }

    def _command(self) -> list[str]:
        words = [str(WEED), "mini", f"-dir={self.folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1"]
        words += ["-master.telemetry=false", "-webdav=false", "-admin.ui=false"]
        words += ["-s3.port.iceberg=0", "-s3.port.lance=0", f"-filer.localSocket={self.folder}/filer.sock"]
        words += [f"-s3.localSocket={self.folder}/s3.sock"]
        for name in PORTS:
            port = self.port if name == "s3" else free_port()
            words += [f"-{name}.port={port}", f"-{name}.port.grpc={self.grpc[name]}"]
        return words

    def _wait(self) -> None:
        """It lists buckets before it can store: only a put and a get prove that it is ready."""
        client, deadline = self.client(), time.monotonic() + STARTING_SECONDS
        while True:
            try:
                if self.bucket not in [each["Name"] for each in client.list_buckets()["Buckets"]]:
                    client.create_bucket(Bucket=self.bucket)
                client.put_object(Bucket=self.bucket, Key="probe", Body=b"probe")
                client.get_object(Bucket=self.bucket, Key="probe")["Body"].read()
                client.delete_object(Bucket=self.bucket, Key="probe")
                return
            except (BotoCoreError, ClientError) as error:
                if time.monotonic() > deadline:
                    log = (self.folder / "weed.log").read_text()[-2000:]
                    raise AssertionError(f"SeaweedFS did not start ({error}): {log}") from error
            time.sleep(0.1)
