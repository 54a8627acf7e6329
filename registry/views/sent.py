"""What was sent by a form of the rail, or by the Undo of a message; and back to the field that was refused."""

from typing import TypeVar

from django import forms
from django.http import QueryDict

from core.doors import PageRequest

AnyForm = TypeVar("AnyForm", bound=forms.Form)


def sent(request: PageRequest, field: str) -> QueryDict:
    """The body, or the address where Undo posts to: whichever holds the field the form is known by."""
    return request.POST if field in request.POST or field not in request.GET else request.GET


def led_to_its_error(form: AnyForm) -> AnyForm:
    """On a long page the browser goes to the field at fault, which has the focus when it opens."""
    for name in form.fields:
        if name in form.errors:
            form.fields[name].widget.attrs["autofocus"] = True
            break
    return form
