"""What a browser sends about aliases, checked."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from django import forms

from registry import services
from registry.models import ModelAlias, ModelVersion
from registry.names import LONGEST_ALIAS

FIELD = {"class": "in"}
NAME = {**FIELD, "autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
TOLD = 5
CHANGED = "It has changed since this page was read. Choose again."


class AliasForm(forms.Form):
    """Pointing an alias at a version; ``seen`` is the revision that whoever moves it knows of."""

    alias = forms.CharField(label="Alias", max_length=LONGEST_ALIAS, widget=forms.TextInput(NAME))
    seen = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)
    moves = False

    def __init__(
        self, data: Any = None, *, free: Iterable[ModelAlias] = (), version: ModelVersion | None = None
    ) -> None:
        super().__init__(data, auto_id="alias_%s")
        others = [each for each in free if version is None or each.version_id != version.pk]
        told = ", ".join(f"{each.name} (v{each.version.number})" for each in others[:TOLD])
        if told:
            more = f" and {len(others) - TOLD} more" if len(others) > TOLD else ""
            self.fields["alias"].help_text = f"In use: {told}{more}."

    def ask_again(self, known: ModelAlias, version: ModelVersion) -> None:
        """The alias points elsewhere: say where, and let the next answer move it from there."""
        said = self.data.copy()
        said["seen"] = services.alias_etag(known)
        self.data, self.moves = said, True
        who = f" ({known.set_by_name})" if known.set_by_name else ""
        self.add_error(
            "alias",
            f"The alias {known.name} points at v{known.version.number} since {known.set_at:%-d %B %Y, %H:%M} UTC{who}."
            f" Once moved, whoever loads it gets v{version.number}.",
        )


class PointForm(AliasForm):
    """The same on the model's page, where the version is to be named."""

    version = forms.IntegerField(
        label="Version",
        min_value=1,
        max_value=2_147_483_647,
        widget=forms.NumberInput({**FIELD, "inputmode": "numeric"}),
    )
    field_order = ("alias", "version", "seen")


class RemoveAliasForm(forms.Form):
    """Which alias goes; the choice carries the revision that was seen."""

    alias = forms.ChoiceField(
        label="Alias to remove", widget=forms.Select(FIELD), error_messages={"invalid_choice": CHANGED}
    )

    def __init__(self, data: Any = None, *, free: Iterable[ModelAlias] = ()) -> None:
        super().__init__(data, auto_id="unalias_%s")
        self.known = {services.alias_etag(each): each for each in free}
        named = [(etag, f"{each.name} (v{each.version.number})") for etag, each in self.known.items()]
        cast(forms.ChoiceField, self.fields["alias"]).choices = [("", "Choose"), *named]

    def chosen(self) -> ModelAlias:
        return self.known[self.cleaned_data["alias"]]
