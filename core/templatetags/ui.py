"""Small parts of pages: icons, numbers, times and statuses."""

from __future__ import annotations

import math
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
