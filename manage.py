#!/usr/bin/env python3
"""Manage commands; ``--data-dir DIR`` names the installation they work on."""

import os
import sys
from importlib import import_module

# They start, stop and look at processes: no need to load every app for that.
STACK_COMMANDS = {"up", "down", "status"}


def take_data_dir(words: list[str]) -> list[str]:
    """Move ``--data-dir`` into the environment before the settings are read."""
    rest: list[str] = []
    waiting = iter(words)
    for word in waiting:
        name, equals, value = word.partition("=")
        if name != "--data-dir":
            rest.append(word)
            continue
        value = value if equals else next(waiting, "")
        if not value:
            sys.exit("--data-dir needs a folder.")
        os.environ["DATA_DIR"] = os.path.abspath(value)
    return rest


def why_no_address() -> str:
    """The running stack writes its addresses into the data folder."""
    settings = import_module("django.conf").settings
    try:
        os.listdir(settings.DATA_DIR / "run")
    except PermissionError as error:
        return f"The data folder {settings.DATA_DIR} cannot be read: {error.strerror}."
    except OSError:
        pass
    return "The stack is not running: make up"


def run(words: list[str]) -> None:
    from django.core.management import execute_from_command_line
    from django.db import OperationalError

    try:
        execute_from_command_line(words)
    except OperationalError as error:
        if not import_module("django.conf").settings.DATABASE_URLS["app"]:
            sys.exit(why_no_address())
        sys.exit(f"The database does not answer: {str(error).splitlines()[0]}")
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    sys.argv = take_data_dir(sys.argv)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "controlplane.settings")
    if sys.argv[1:2] == ["migrate"]:
        os.environ.setdefault("DATABASE_ROLE", "owner")
    if sys.argv[1:] and sys.argv[1] in STACK_COMMANDS:
        import_module(f"controlplane.management.commands.{sys.argv[1]}").Command().run_from_argv(sys.argv)
    else:
        run(sys.argv)
