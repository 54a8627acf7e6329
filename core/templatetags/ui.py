"""Small parts of pages: icons, numbers, times, statuses and drawings in plain SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django import template
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from core import figures
from core import panels as page_panels
from core.digests import with_short_digests
from core.figures import MINUS, figure
from core.money import money
from core.statuses import look_of, problem_look

register = template.Library()
SPRITE = "vendor/lucide-1.62.0.svg"
STEPS = [(60, 1, "second"), (3600, 60, "minute"), (86400, 3600, "hour"), (86400 * 60, 86400, "day")]


@register.simple_tag
def icon(name: str, cls: str = "i", label: str | None = None) -> SafeString:
    """``{% icon "rocket" %}``; with a label it is read aloud, without it is decoration."""
    said = format_html('role="img" aria-label="{}"', label) if label else mark_safe('aria-hidden="true"')
    return format_html('<svg class="{}" {}><use href="{}#{}"/></svg>', cls, said, static(SPRITE), name)


@register.simple_tag
def pill(status: str, word: str | None = None) -> SafeString:
    """``{% pill deployment.status deployment.get_status_display %}``: icon, word and colour."""
    tone, name, default = look_of(str(status))
    return format_html('<span class="pill {}">{}{}</span>', tone, icon(name, "i-s"), word or default)


@register.simple_tag
def problem_words(status: int) -> dict[str, str]:
    """``{% problem_words status as words %}``: tone, icon, title, next of an error page."""
    return dict(zip(("tone", "icon", "title", "next"), problem_look(status), strict=True))


@register.filter
def ago(moment: datetime | None) -> SafeString | str:
    """A ``time`` element: relative words, exact UTC in ``datetime``, and ``data-at`` for paper."""
    if moment is None:
        return "never"
    seconds = (timezone.now() - moment).total_seconds()
    return format_html(
        '<time datetime="{}" data-at="{}">{}</time>',
        moment.isoformat(timespec="seconds").replace("+00:00", "Z"),
        _exact(moment),
        _relative(moment, seconds),
    )


def _relative(moment: datetime, seconds: float) -> str:
    ahead, seconds = seconds < -1, abs(seconds)
    if seconds < 10:
        return "in a moment" if ahead else "just now"
    for limit, unit, word in STEPS:
        if seconds < limit:
            count = int(seconds // unit)
            words = f"{count} {word}{'' if count == 1 else 's'}"
            return f"in {words}" if ahead else f"{words} ago"
    return day(moment)


def _exact(value: datetime) -> str:
    utc = value.astimezone(timezone.get_default_timezone())
    return f"{utc.day} {utc:%b %Y, %H:%M} UTC"


@register.filter
def day(moment: datetime | None) -> str:
    """``5 Apr 2013``."""
    return f"{moment.day} {moment:%b %Y}" if moment else "never"


@register.filter
def moment(value: datetime | None) -> SafeString | str:
    """``5 Apr 2013, 14:05 UTC``."""
    if value is None:
        return "never"
    utc = value.astimezone(timezone.get_default_timezone())
    return format_html('<time datetime="{}">{}</time>', utc.isoformat().replace("+00:00", "Z"), _exact(value))


@register.filter
def number(value: Any, digits: int = 0) -> str:
    """Thousands with commas, a real minus sign, ``none`` for nothing."""
    if value in (None, "") or (isinstance(value, float) and not math.isfinite(value)):
        return "none"
    return figure(value, int(digits))


@register.filter("measured")
def measured_alone(value: Any) -> str:
    """A measurement by itself, without zeros at its end."""
    return figures.measured(value) if _is_finite(value) else number(value)


@register.filter
def in_column(value: Any) -> str:
    """A measurement among others of its kind, whose decimals stand below each other."""
    return figures.measured(value, in_column=True) if _is_finite(value) else number(value)


@register.filter
def psi(value: float) -> str:
    """How far a distribution moved, on the side of the line that its verdict names."""
    return figures.beside_lines(value, figures.PSI_LINES)


def _is_finite(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


register.filter("money", money)
register.filter("short_digests", with_short_digests)


@register.filter
def signed(value: Any, digits: int = 4) -> str:
    """A difference: always with its sign; none is "0", however many decimals."""
    if value in (None, ""):
        return "none"
    rounded = figure(abs(float(value)), int(digits))
    if float(rounded.replace(",", "").replace(MINUS, "-")) == 0:
        return "0"
    return (MINUS if value < 0 else "+") + rounded


@register.filter
def brief(value: Any) -> str:
    """A value of a table's column: a measurement, a time to the minute, else as it is."""
    if value is None or isinstance(value, bool | int):
        return "" if value is None else str(value).replace("-", MINUS)
    if isinstance(value, float):
        return measured_alone(value)
    text = str(value)
    return text[:16].replace("T", " ") if text[10:11] == "T" else text


@register.filter
def percent(value: Any, digits: int = 1) -> str:
    """A share of 1 as ``12.5 %`` or ``5 %``, which never breaks over two lines."""
    if value is None:
        return "none"
    text = f"{float(value) * 100:.{int(digits)}f}"
    whole, _, part = text.partition(".")
    return f"{text if part.strip('0') else whole}\u00a0%".replace("-", MINUS)


@register.filter
def size(value: Any) -> str:
    """Bytes in binary units."""
    count = float(value or 0)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024 or unit == "GiB":
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return ""


@register.filter
def duration(seconds: Any) -> str:
    """``850 ms``, ``12.3 s``, ``4 min 10 s``."""
    if seconds is None:
        return "none"
    value = seconds.total_seconds() if hasattr(seconds, "total_seconds") else float(seconds)
    if value < 1:
        return f"{value * 1000:.0f} ms"
    if value < 60:
        return f"{value:.1f} s"
    if value < 5400:
        return f"{int(value // 60)} min {int(value % 60)} s"
    return f"{int(value // 3600)} h {int(value % 3600 // 60)} min"


@register.simple_tag
def digest(value: str, what: str = "digest") -> SafeString:
    """A short SHA-256 with a button that copies all of it."""
    if not value:
        return mark_safe('<span class="t3">not yet known</span>')
    return format_html(
        '<span class="hashed"><span class="hash" title="sha256:{0}">sha256:{1}…{2}</span>'
        '<button type="button" class="iconbtn" data-copy="sha256:{0}" aria-label="Copy the full {3}">{4}</button></span>',
        value, value[:8], value[-6:], what, icon("copy", "i-s"),
    )  # fmt: skip


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


@register.simple_tag(takes_context=True)
def panels(context: dict[str, Any], page: str, subject: Any, **known: Any) -> SafeString:
    """What upper packages show about ``subject`` on this page, told what else the page knows."""
    request = context["request"]
    shown = page_panels.load(page, request.actor, [subject])[subject.pk]
    parts = (
        (render_to_string(name, {**known, "panel": value, "subject": subject}, request=request),)
        for name, value in shown
    )
    return format_html_join("\n", "{}", parts)


@register.simple_tag(takes_context=True)
def address_with(context: dict[str, Any], **changes: Any) -> str:
    """This page's address with some of its query changed; an empty value leaves the name out."""
    query = context["request"].GET.copy()
    for name, value in changes.items():
        query.pop(name, None)
        if value not in (None, ""):
            query[name] = str(value)
    return f"?{query.urlencode()}" if query else context["request"].path


@register.simple_tag(takes_context=True)
def address_without(context: dict[str, Any], name: str) -> str:
    """This list's address without one filter, from its first page on."""
    return address_with(context, **{name: "", "before": "", "after": "", "page": ""})


@register.filter
def in_words(name: str) -> str:
    """``data-scientist`` as ``Data scientist``."""
    return name.replace("-", " ").replace("_", " ").capitalize()


@register.filter
def listed(value: Any) -> str:
    """A list as people write it; anything else as it is."""
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


@register.filter
def initials(name: str) -> str:
    """Two letters for an avatar."""
    words = [word for word in name.replace("-", " ").replace("_", " ").split() if word]
    return "".join(word[0] for word in words[:2]).upper() or "?"


@register.simple_tag
def query(**values: Any) -> str:
    """``?name=value`` from the given names, empty ones left out."""
    kept = {name: value for name, value in values.items() if value not in (None, "")}
    return f"?{urlencode(kept)}" if kept else ""
