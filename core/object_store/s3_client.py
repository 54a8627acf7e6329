"""The installation's S3 client, and what its failures mean."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import boto3
from boto3.exceptions import Boto3Error
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings

from core.errors import TryLater


@dataclass(frozen=True)
class Connection:
    """How the server is reached; empty words leave the choice to boto3 (profile, instance role)."""

    endpoint: str
    region: str
    access_key: str
    secret_key: str
    session_token: str
    addressing: str
    # Requests carry no signature at all, instead of one with whatever keys boto3 finds around it.
    is_anonymous: bool = False


@dataclass(frozen=True)
class Patience:
    """How long and how often the server is asked."""

    connect_seconds: float
    read_seconds: float
    attempts: int


WORKING = Patience(5, 60, 4)
PROBING = Patience(1, 2, 1)


@contextmanager
def answers() -> Iterator[None]:
    """A server that is away or refuses is a part that does not answer."""
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "an error")
        raise TryLater(f"The object store answered {code}.") from error
    except (BotoCoreError, Boto3Error) as error:
        raise TryLater(f"The object store does not answer: {type(error).__name__}.") from error


def place_in_bucket(root: str) -> tuple[str, str]:
    """Bucket and prefix of ``s3://bucket/prefix``."""
    bucket, _, prefix = root.removeprefix("s3://").partition("/")
    return bucket, prefix.strip("/")


def client(*, is_probing: bool = False) -> Any:
    """The installation's client, made anew in a forked child; a probe must not wait long."""
    connection = Connection(
        endpoint=settings.S3_ENDPOINT_URL,
        region=settings.S3_REGION,
        access_key=settings.S3_ACCESS_KEY_ID,
        secret_key=settings.S3_SECRET_ACCESS_KEY,
        session_token=settings.S3_SESSION_TOKEN,
        addressing=settings.S3_ADDRESSING,
    )
    return client_of(connection, PROBING if is_probing else WORKING)


def client_of(connection: Connection, patience: Patience = WORKING) -> Any:
    """A client for any server; the same one as long as this process asks for the same."""
    return _client(connection, patience, os.getpid())


@lru_cache(maxsize=8)
def _client(connection: Connection, patience: Patience, process_id: int) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=connection.endpoint or None,
        region_name=connection.region or None,
        aws_access_key_id=connection.access_key or None,
        aws_secret_access_key=connection.secret_key or None,
        aws_session_token=connection.session_token or None,
        config=Config(
            connect_timeout=patience.connect_seconds,
            read_timeout=patience.read_seconds,
            retries={"mode": "standard", "total_max_attempts": patience.attempts},
            s3={"addressing_style": connection.addressing},
            signature_version=UNSIGNED if connection.is_anonymous else "s3v4",
        ),
    )
