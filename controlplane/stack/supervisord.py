"""supervisord as it runs here: it outlives a disk that is full, and what it writes is its owner's.

On a line it cannot write supervisor's own logging prints a traceback to standard error; on the
same full disk that fails as well and ends supervisord, and with it the whole stack.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import Any

from supervisor import supervisord
from supervisor.loggers import Handler, RotatingFileHandler

roll_over = RotatingFileHandler.doRollover


def lose_the_line(handler: Handler) -> None:
    """Nowhere to write it; a file that was lost in its rotation is opened again for the next line."""
    if getattr(handler.stream, "closed", False):
        with suppress(OSError):
            handler.reopen()


def roll_over_if_possible(handler: RotatingFileHandler) -> None:
    with suppress(OSError, ValueError):  # ValueError: the file is closed
        roll_over(handler)


def main(words: list[str] | None = None) -> Any:
    os.umask(0o077)  # its own setting of this name counts only for a daemon
    Handler.handleError = lose_the_line
    RotatingFileHandler.doRollover = roll_over_if_possible
    return supervisord.main(words)


if __name__ == "__main__":
    main(sys.argv[1:])
