"""Charts: Plotly figures whose colours are names of our tokens (``var(--accent)``, ``var(--ink/.05)``).

Built and validated by plotly.py, drawn in the browser by the vendored bundle of the same major;
the page's theme gives the colours, so one figure serves light and dark.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

# About so many ticks on an axis.
TICKS = 5
X = Sequence[Any]
Y = Sequence[float | None]


def token(name: str, alpha: float | None = None) -> str:
    """A colour by the name of its token in app.css, optionally see-through."""
    return f"var(--{name})" if alpha is None else f"var(--{name}/{alpha})"


def line(
    x: X,
    y: Y,
    name: str,
    colour: str,
    *,
    width: float = 2.25,
    unit: str = "",
    digits: int = 3,
    dash: str = "",
) -> dict[str, Any]:
    """A series; missing values are gaps."""
    style: dict[str, Any] = {"color": token(colour), "width": width}
    if dash:
        style["dash"] = dash
    return {
        "type": "scatter",
        "mode": "lines+markers" if len(x) < 3 else "lines",
        "x": list(x),
        "y": [finite(value) for value in y],
        "name": name,
        "line": style,
        "marker": {"color": token(colour), "size": 6},
        "connectgaps": False,
        "hovertemplate": f"%{{y:.{digits}f}}{unit}",
    }


def band(x: X, low: Y, high: Y, colour: str) -> list[dict[str, Any]]:
    """The interval around a series, as two invisible lines with the area between them."""
    edge = {
        "type": "scatter",
        "mode": "lines",
        "x": list(x),
        "line": {"width": 0},
        "hoverinfo": "skip",
        "showlegend": False,
    }
    return [
        {**edge, "y": [finite(value) for value in high]},
        {**edge, "y": [finite(value) for value in low], "fill": "tonexty", "fillcolor": token(colour, 0.16)},
    ]


def bars(x: X, y: Y, name: str, colour: str, *, prefix: str = "", digits: int = 2) -> dict[str, Any]:
    """One stack of bars."""
    return {
        "type": "bar",
        "x": list(x),
        "y": [finite(value) for value in y],
        "name": name,
        "marker": {"color": token(colour), "line": {"width": 1, "color": token("surface")}},
        "hovertemplate": f"{prefix}%{{y:.{digits}f}}",
    }


def limit(value: float, words: str, colour: str = "bad", side: str = "left") -> dict[str, Any]:
    """A labelled threshold over the whole width; labels of two that are close stand on two sides."""
    return {
        "shape": {
            "type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": value, "y1": value,
            "line": {"color": token(colour), "width": 1, "dash": "dot"},
        },
        "annotation": {
            "xref": "paper", "x": 0 if side == "left" else 1, "xanchor": side, "y": value, "yanchor": "bottom", "text": words,
            "showarrow": False, "bgcolor": token("surface", 0.8), "font": {"color": token(colour), "size": 11.5},
        },
    }  # fmt: skip


def vertical(at: Any, words: str) -> dict[str, Any]:
    """A moment, such as a deployment."""
    return {
        "shape": {
            "type": "line", "yref": "paper", "y0": 0, "y1": 1, "x0": at, "x1": at,
            "line": {"color": token("ink-3"), "width": 1},
        },
        "annotation": {
            "x": at, "yref": "paper", "y": 1, "xanchor": "right", "yanchor": "top", "text": f"{words} ",
            "showarrow": False, "bgcolor": token("surface", 0.8), "font": {"color": token("ink-2"), "size": 11.5},
        },
    }  # fmt: skip


def not_yet_known(start: Any, end: Any, words: str = "labels not yet known") -> dict[str, Any]:
    """A shaded span in which values will still arrive."""
    return {
        "shape": {
            "type": "rect", "yref": "paper", "y0": 0, "y1": 1, "x0": start, "x1": end,
            "fillcolor": token("ink", 0.045), "line": {"width": 0}, "layer": "below",
        },
        "annotation": {
            "x": end, "xanchor": "right", "yref": "paper", "y": 0.95, "text": words,
            "showarrow": False, "font": {"color": token("ink-2"), "size": 11.5},
        },
    }  # fmt: skip


def figure(
    traces: Sequence[dict[str, Any]], *, marks: Sequence[dict[str, Any]] = (), **layout: Any
) -> dict[str, Any]:
    """The figure as plain JSON; ``layout`` as plotly's (``yaxis={"range": [0, 1]}``).

    plotly refuses names and values it does not know, so a typing error fails here, not in a browser.
    """
    full: dict[str, Any] = {
        "shapes": [mark["shape"] for mark in marks if "shape" in mark],
        "annotations": [mark["annotation"] for mark in marks if "annotation" in mark],
        **layout,
        "yaxis": {**_ticks(traces, layout.get("yaxis", {})), **layout.get("yaxis", {})},
    }
    built = go.Figure(data=list(traces), layout={**full, "template": "none"}).to_plotly_json()
    built["layout"].pop("template", None)
    return {"data": built["data"], "layout": built["layout"]}


def _ticks(traces: Sequence[dict[str, Any]], axis: dict[str, Any]) -> dict[str, Any]:
    """As many decimals on every tick as the axis needs, and no exponents: 0.70 below 0.72, 1,200,000."""
    shown = [value for trace in traces for value in trace.get("y") or () if isinstance(value, int | float)]
    ends = [*axis.get("range", shown), *(0 for trace in traces if trace["type"] == "bar")]
    size = (max(ends) - min(ends) or abs(max(ends))) if ends else 0
    if not 1e-9 < size < 1e15:
        return {}
    decimals = max(0, -math.floor(math.log10(size / TICKS)))
    return {"tickformat": f",.{decimals}f", "exponentformat": "none"}


def finite(value: float | None) -> float | None:
    """JSON has no NaN: what is not finite is a gap."""
    return None if value is None or not math.isfinite(value) else float(f"{float(value):.7g}")
