"""Progress of the story: each step named, with how long it took."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console


class Display:
    """Prints steps as they end; a live line only where the output is a terminal."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False)
        self.started = time.monotonic()
        self.timings: list[tuple[str, float]] = []
        self._status = None

    def chapter(self, title: str) -> None:
        self.console.print(f"\n[bold]{title}[/bold]")

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:
        """One step; ``say`` adds what was seen to its line."""
        begun, step = time.monotonic(), Step()
        if self.console.is_terminal:
            with self.console.status(title) as status:
                step.live = status.update
                step.title = title
                yield step
        else:
            yield step
        seconds = time.monotonic() - begun
        self.timings.append((title, seconds))
        seen = f"  [dim]{step.seen}[/dim]" if step.seen else ""
        self.console.print(f"  [green]✓[/green] {title}  [dim]{seconds:.1f} s[/dim]{seen}")

    def note(self, text: str) -> None:
        self.console.print(f"    {text}")

    @property
    def total_seconds(self) -> float:
        return time.monotonic() - self.started


class Step:
    """A running step."""

    def __init__(self) -> None:
        self.seen = ""
        self.title = ""
        self.live = None

    def say(self, text: str) -> None:
        self.seen = text
        if self.live:
            self.live(f"{self.title} · {text}")
