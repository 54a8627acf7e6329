"""What a list's address asks for: a filter that is not understood is refused by name, never ignored.

A list that quietly shows everything under a filter's name would be read as the filter's answer.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.http import HttpRequest

from core.errors import Invalid


def chosen(request: HttpRequest, name: str, allowed: Iterable[str]) -> str:
    """The value of one filter, empty when it is not set; Invalid when it is none of ``allowed``."""
    value, words = request.GET.get(name, ""), list(allowed)
    if value and value not in words:
        raise _refused(name, words)
    return value


def asked(form: forms.Form) -> dict[str, Any]:
    """The filters that a GET form carries and that are set; Invalid naming the first it cannot take."""
    for name in form.errors:
        field = form.fields[name]
        if isinstance(field, forms.ModelChoiceField):
            raise _refused(name, [str(each) for each in field.queryset or ()])
        if isinstance(field, forms.ChoiceField):
            raise _refused(name, [str(value) for value, _ in field.widget.choices if value])
        raise Invalid(f"{name}: {form.errors[name][0]}", field=name)
    return {name: value for name, value in form.cleaned_data.items() if value not in (None, "")}


def _refused(name: str, allowed: list[str]) -> Invalid:
    words = ", ".join(allowed)
    return Invalid(f"{name} must be one of: {words}.", field=name, allowed=words)
