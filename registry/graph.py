"""The lineage of a version as a graph: boxes in columns, oldest at the left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from core.actors import Actor
from registry.downstream import Step, steps_after
from registry.lineage import children_of, data_of, parent_of
from registry.models import ModelVersion, VersionDataset

WIDTH, HEIGHT, GAP_X, GAP_Y, MARGIN = 160, 48, 32, 12, 4
MOST_IN_COLUMN = 7
LONGEST_TITLE, LONGEST_DETAIL = 20, 23


@dataclass
class Node:
    """One box; ``before`` are the nodes an arrow comes from."""

    kind: str
    title: str
    detail: str
    address: str
    column: int
    before: list[Node]
    is_current: bool = False
    x: int = 0
    y: int = 0

    @property
    def short_title(self) -> str:
        return _cut(self.title, LONGEST_TITLE)

    @property
    def short_detail(self) -> str:
        return _cut(f"{self.kind}: {self.detail}" if self.detail else self.kind, LONGEST_DETAIL)

    @property
    def width(self) -> int:
        return WIDTH

    @property
    def height(self) -> int:
        return HEIGHT

    @property
    def text_x(self) -> int:
        return self.x + 12

    @property
    def title_y(self) -> int:
        return self.y + 20

    @property
    def detail_y(self) -> int:
        return self.y + 37


@dataclass
class Graph:
    """Boxes with their places, arrows between them, and how large the drawing is."""

    nodes: list[Node]
    left_out: int
    width: int
    height: int
    steps: list[Step]

    @property
    def arrows(self) -> list[str]:
        """Path data of a curve from the right edge of one box to the left edge of the next."""
        return [_curve(before, node) for node in self.nodes for before in node.before]

    @property
    def box(self) -> str:
        return f"0 0 {self.width} {self.height}"


def graph_of(actor: Actor, version: ModelVersion) -> Graph:
    """What the actor may see of where the version comes from and what became of it."""
    # What it was judged on comes first: it must not be among what is left out.
    uses = sorted(data_of(actor, version), key=lambda use: use.role != VersionDataset.Role.HOLDOUT)
    data = _sets(uses)
    code = [Node("Code", version.code_commit[:12], version.run.get("source", ""), "", 0, [])]
    run_id = str(version.run_id or version.run.get("id", ""))
    run = [Node("Run", str(version.run.get("name") or run_id), run_id[:8], "", 1, [])]
    sources = [*(code if version.code_commit else []), *data]
    parent = parent_of(actor, version)
    parents = [_version(parent, 1)] if parent else []
    nodes = _cut_down(sources)
    middle = run if run_id else []
    for node in middle:
        node.before = [*nodes]
    centre = _version(version, 2)
    centre.is_current = True
    centre.before = [*(middle or nodes), *parents]
    steps = steps_after(actor, version)
    after = [_step(step, centre) for step in steps]
    for child in children_of(actor, version):
        made = _version(child, 3)
        made.before = [centre]
        after.append(made)
    shown = [*nodes, *middle, *parents, centre, *_cut_down(after)]
    left_out = len(sources) + len(after) - len(nodes) - len(_cut_down(after))
    return _placed(shown, left_out, steps)


def _placed(nodes: list[Node], left_out: int, steps: list[Step]) -> Graph:
    """Columns stand centred beside each other; an empty column takes no room."""
    used = sorted({node.column for node in nodes})
    columns = [[node for node in nodes if node.column == number] for number in used]
    tallest = max(len(column) for column in columns)
    height = tallest * (HEIGHT + GAP_Y) - GAP_Y + 2 * MARGIN
    for place, column in enumerate(columns):
        start = (height - (len(column) * (HEIGHT + GAP_Y) - GAP_Y)) // 2
        for row, node in enumerate(column):
            node.x = MARGIN + place * (WIDTH + GAP_X)
            node.y = start + row * (HEIGHT + GAP_Y)
    width = 2 * MARGIN + len(columns) * (WIDTH + GAP_X) - GAP_X
    return Graph(nodes, left_out, width, height, steps)


def _curve(before: Node, node: Node) -> str:
    x1, y1 = before.x + WIDTH, before.y + HEIGHT // 2
    x2, y2 = node.x, node.y + HEIGHT // 2
    middle = (x1 + x2) // 2
    return f"M{x1} {y1}C{middle} {y1} {middle} {y2} {x2} {y2}"


def _sets(uses: Sequence[VersionDataset]) -> list[Node]:
    """One box for each data set and part it had, however many of its versions."""
    found: dict[tuple[Any, str], list[VersionDataset]] = {}
    for use in uses:
        found.setdefault((use.dataset_version.dataset_id, use.role), []).append(use)
    return [_data(each) for each in found.values()]


def _data(uses: Sequence[VersionDataset]) -> Node:
    use, data = uses[0], uses[0].dataset_version
    if len(uses) > 1:
        address = f"/data/{quote(data.dataset.name, safe='')}/"
        words = f"{use.get_role_display().lower()}, {len(uses)} versions"
        return Node("Data", data.dataset.name, words, address, 0, [])
    title = f"{data.dataset.name} {data.label or f'v{data.number}'}"
    address = f"/data/{quote(data.dataset.name, safe='')}/?version={data.number}"
    return Node("Data", title, use.get_role_display().lower(), address, 0, [])


def _step(step: Step, centre: Node) -> Node:
    return Node(step.kind.capitalize(), step.title, step.detail, step.address, 3, [centre])


def _version(version: ModelVersion, column: int) -> Node:
    address = f"/models/{quote(version.model.name, safe='')}/versions/{version.number}/"
    return Node("Version", str(version), version.digest[:8], address, column, [])


def _cut_down(nodes: list[Node]) -> list[Node]:
    return nodes[:MOST_IN_COLUMN]


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
