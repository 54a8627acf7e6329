"""What a browser sends about runs, checked."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from django import forms

from core.actors import Actor
from registry.forms import FIELD
from registry.models import RegisteredModel
from registry.names import LONGEST_NAME
from registry.prompts.content import among_prompts
from registry.runs.shown import ALL, DELETED, STATUSES

EXISTING, NEW = "existing", "new"
NOTHING = [("", "Any")]


class RunFilterForm(forms.Form):
    """Narrowing and ordering the list; a GET form, so every view of it has an address."""

    q = forms.CharField(
        label="Name, id or experiment", required=False, max_length=250, widget=forms.TextInput(FIELD)
    )
    status = forms.ChoiceField(
        label="Status",
        required=False,
        choices=[
            *NOTHING,
            *((each, each.capitalize()) for each in STATUSES.values()),
            (DELETED, DELETED.capitalize()),
        ],
        widget=forms.Select(FIELD),
    )
    show = forms.ChoiceField(
        label="Show",
        required=False,
        choices=[("", "Whole runs"), (ALL, "Parts of other runs too")],
        widget=forms.Select(FIELD),
    )
    filter = forms.CharField(
        label="Filter of MLflow",
        required=False,
        max_length=1000,
        widget=forms.TextInput(
            {**FIELD, "placeholder": "params.depth = '3' and metrics.auc > 0.9", "spellcheck": "false"}
        ),
    )


class RegisterForm(forms.Form):
    """Which of a run's models becomes a version, and of what."""

    what = forms.ChoiceField(label="What it logged", widget=forms.Select(FIELD))
    kind = forms.ChoiceField(
        label="As",
        choices=[
            ("", "Choose"),
            (EXISTING, "The next version of a model"),
            (NEW, "The first version of a new model"),
        ],
        widget=forms.Select(FIELD),
    )
    name = forms.CharField(
        label="Name of the model",
        max_length=LONGEST_NAME,
        widget=forms.TextInput(
            {**FIELD, "autocomplete": "off", "spellcheck": "false", "list": "models-to-register-in"}
        ),
    )

    # The version whose files have changed since, where its reader asks for their new state.
    after = forms.IntegerField(required=False, min_value=1, max_value=2_147_483_647, widget=forms.HiddenInput)

    def __init__(self, *args: Any, actor: Actor, offered: Iterable[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.actor = actor
        self.model: RegisteredModel | None = None
        self.is_new = False  # whether sending it made the version
        self.status = 422  # of the answer, where something is wrong with it
        choices = list(offered)
        several = [("", "Choose")] if len(choices) > 1 else []
        cast(forms.ChoiceField, self.fields["what"]).choices = [*several, *choices]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        name = cleaned.get("name", "")
        if cleaned.get("kind") == EXISTING and name:
            known = RegisteredModel.objects.visible_to(self.actor).exclude(among_prompts())
            self.model = known.named(name).first()
            if self.model is None:
                self.refuse("name", f"There is no model {name}.", status=404)
        if self.data.get("what") and self.has_error("what"):
            self.status = 404  # what was never offered may be somebody else's
        return cleaned

    def refuse(self, field: str | None, message: str, *, status: int) -> None:
        """An error of the kind that is kept as an event, as every other door keeps it."""
        self.add_error(field if field in self.fields else None, message)
        self.status = status


def registrable(actor: Actor) -> Any:
    """The models in which somebody may register what a run logged; texts are registered otherwise."""
    return RegisteredModel.objects.granting(actor, "register").exclude(among_prompts())
