"""One thread scores; requests that arrive meanwhile are scored together next."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Columns = dict[str, list[Any]]
MOST_ROWS = 8192


@dataclass
class Waiting:
    columns: Columns
    rows: int
    loop: asyncio.AbstractEventLoop
    answer: asyncio.Future[list[Any]]

    def resolve(self, scores: list[Any] | None, error: Exception | None = None) -> None:
        self.loop.call_soon_threadsafe(self._set, scores, error)

    def _set(self, scores: list[Any] | None, error: Exception | None) -> None:
        if self.answer.done():
            return
        if error is not None:
            self.answer.set_exception(error)
        else:
            self.answer.set_result(scores or [])


class Batcher:
    """Scores in one thread, so that the event loop keeps answering pings."""

    def __init__(self, score: Callable[[Columns], list[Any]]) -> None:
        self._score = score
        self._queue: queue.SimpleQueue[Waiting] = queue.SimpleQueue()
        self.largest = 0
        threading.Thread(target=self._work, name="scoring", daemon=True).start()

    async def score(self, columns: Columns, rows: int) -> list[Any]:
        loop = asyncio.get_running_loop()
        waiting = Waiting(columns, rows, loop, loop.create_future())
        self._queue.put(waiting)
        return await waiting.answer

    def _work(self) -> None:
        while True:
            batch = [self._queue.get()]
            rows = batch[0].rows
            while rows < MOST_ROWS:
                try:
                    batch.append(self._queue.get_nowait())
                except queue.Empty:
                    break
                rows += batch[-1].rows
            self.largest = max(self.largest, len(batch))
            self._answer(batch)

    def _answer(self, batch: list[Waiting]) -> None:
        groups: dict[tuple[str, ...], list[Waiting]] = {}
        for each in batch:
            groups.setdefault(tuple(each.columns), []).append(each)
        for names, group in groups.items():
            try:
                scores = self._score(
                    {name: [value for each in group for value in each.columns[name]] for name in names}
                )
                if len(scores) != sum(each.rows for each in group):
                    raise ValueError(
                        f"the model answered {len(scores)} values for {sum(e.rows for e in group)} rows"
                    )
            except Exception as error:
                self._one_by_one(group, error)
            else:
                start = 0
                for each in group:
                    each.resolve(scores[start : start + each.rows])
                    start += each.rows

    def _one_by_one(self, group: list[Waiting], error: Exception) -> None:
        """A row that the model cannot bear fails its own request and nobody else's."""
        if len(group) == 1:
            group[0].resolve(None, error)
            return
        for each in group:
            self._answer([each])
