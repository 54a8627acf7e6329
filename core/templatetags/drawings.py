"""Drawings in plain SVG, small enough to stand in a line of a table."""

from __future__ import annotations

from collections.abc import Sequence

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from core.templatetags.ui import signed

register = template.Library()


@register.simple_tag
def forest(
    low: float | None,
    point: float | None,
    high: float | None,
    tone: str = "ok",
    limit: float | None = None,
    span: float = 0.02,
) -> SafeString:
    """Dot and whisker of a difference with its 95 % interval; ``span`` is half the axis."""
    if point in (None, ""):
        return mark_safe('<span class="t3">no interval</span>')
    limit = None if limit == "" else limit  # a name the template does not know
    low, high = point if low is None else low, point if high is None else high
    span = max(span, abs(low) * 1.05, abs(high) * 1.05)

    def x(value: float) -> float:
        return round(8 + (max(-span, min(span, value)) + span) / (2 * span) * 224, 1)

    line = (
        format_html('<line class="thr" x1="{0}" x2="{0}" y1="4" y2="22"/>', x(limit))
        if limit is not None
        else ""
    )
    return format_html(
        '<svg class="forest c-{}" viewBox="0 0 240 26" role="img" aria-label="difference {}, 95 % interval {} to {}">'
        '<line class="ax" x1="{}" x2="{}" y1="2" y2="24"/>{}<rect class="band" x="{}" y="7" width="{}" height="12" rx="3"/>'
        '<line class="ci" x1="{}" x2="{}" y1="13" y2="13"/><circle class="pt" cx="{}" cy="13" r="4.5"/></svg>',
        tone, signed(point), signed(low), signed(high), x(0), x(0), line, x(low),
        max(1, round(x(high) - x(low), 1)), x(low), x(high), x(point),
    )  # fmt: skip


@register.simple_tag
def spark(
    values: Sequence[float | None], tone: str = "n", ref: float | None = None, *, breaks: bool = False
) -> SafeString:
    """A line of up to some dozens of values; missing ones are left out, and with ``breaks`` part the line."""
    ref = None if ref == "" else ref  # a name the template does not know
    known = [(index, value) for index, value in enumerate(values) if value is not None]
    if len(known) < 2:
        return mark_safe("")
    levels = [value for _, value in known] + ([ref] if ref is not None else [])
    low, high = min(levels), max(levels)
    scale, last = (high - low) or 1, len(values) - 1

    def y(value: float) -> float:
        return round(24 - (value - low) / scale * 22, 2)

    parts = _unbroken(known) if breaks else [known]
    line = format_html('<line x1="0" x2="120" y1="{0}" y2="{0}"/>', y(ref)) if ref is not None else ""
    drawn = format_html_join(
        "",
        '<polygon points="{1},26 {0} {2},26"/><polyline points="{0}"/>',
        (
            (
                " ".join(f"{round(index / last * 120, 1)},{y(value)}" for index, value in part),
                round(part[0][0] / last * 120, 1),
                round(part[-1][0] / last * 120, 1),
            )
            for part in parts
        ),
    )
    return format_html(
        '<svg class="spark c-{}" viewBox="0 0 120 26" preserveAspectRatio="none" aria-hidden="true">{}{}</svg>',
        tone, line, drawn,
    )  # fmt: skip


def _unbroken(known: Sequence[tuple[float, float]]) -> list[list[tuple[float, float]]]:
    """Runs of neighbours; one that stands alone is drawn as long as a step is."""
    parts: list[list[tuple[float, float]]] = []
    for index, value in known:
        if parts and parts[-1][-1][0] == index - 1:
            parts[-1].append((index, value))
        else:
            parts.append([(index, value)])
    return [part if len(part) > 1 else [part[0], (part[0][0] + 0.6, part[0][1])] for part in parts]


@register.simple_tag
def histogram(
    reference: Sequence[float], current: Sequence[float] | None = None, label: str = "Distribution"
) -> SafeString:
    """Bars of the reference and, over them, the outline of the current window."""
    highest = max([*reference, *(current or [])], default=0) or 1
    width = 160 / max(1, len(reference))
    bars = format_html_join(
        "",
        '<rect class="ref" x="{}" y="{}" width="{}" height="{}"/>',
        (
            (
                round(i * width + 0.6, 1),
                round(90 - value / highest * 84, 1),
                round(max(0.5, width - 1.2), 1),
                round(value / highest * 84, 1),
            )
            for i, value in enumerate(reference)
        ),
    )
    outline = ""
    if current:
        points = " ".join(
            f"{round(i * width, 1)},{round(90 - value / highest * 84, 1)} {round((i + 1) * width, 1)},{round(90 - value / highest * 84, 1)}"
            for i, value in enumerate(current)
        )
        outline = format_html('<polyline class="cur" points="{}"/>', points)
    return format_html(
        '<svg class="hist" viewBox="0 0 160 92" preserveAspectRatio="none" role="img" aria-label="{}">{}{}</svg>',
        label,
        bars,
        outline,
    )
