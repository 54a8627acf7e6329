"""How far the story of a data folder has come: it is played once, and never from its middle."""

from __future__ import annotations

import shlex
from pathlib import Path


def played_mark(data_dir: Path) -> Path:
    """Set when the story has come to its end: a second start does not replay it."""
    return data_dir / "run" / "story_played"


def begun_mark(data_dir: Path) -> Path:
    """Set when the story begins: half a story cannot be played to its end."""
    return data_dir / "run" / "story_begun"


def is_broken_off(data_dir: Path) -> bool:
    return begun_mark(data_dir).exists() and not played_mark(data_dir).exists()


def how_to_begin_anew(data_dir: Path, port: int, gateway_port: int) -> str:
    """The commands with all they need to be told, to be copied as they are."""
    folder = shlex.quote(str(data_dir))
    return (
        f"It cannot go on from there. To begin anew:\n"
        f"  make down DATA_DIR={folder}\n"
        f"  rm -r {folder}\n"
        f"  make demo DATA_DIR={folder} PORT={port} GATEWAY_PORT={gateway_port}\n"
        f"To use what there is, without the story:\n"
        f"  make up DATA_DIR={folder} PORT={port} GATEWAY_PORT={gateway_port}"
    )
