"""What a browser may send about webhooks."""

from typing import Any

from django import forms

from workspace.webhooks.catalogue import MLFLOW_EVENTS, OUR_EVENTS, words_of

# What people look for, and how the codes of it begin.
GROUPS = (
    ("Models and versions", "registry."),
    ("Promotions", "approvals."),
    ("Deployments", "deployments."),
    ("Monitoring", "monitoring."),
    ("Data and pipelines", "pipelines."),
)


def _choices() -> list[tuple[str, list[tuple[str, str]]]]:
    """Ours by what they are about, then MLflow's under its own names."""
    ours = [(word, [each for each in OUR_EVENTS if each.startswith(start)]) for word, start in GROUPS]
    theirs = [("As MLflow names and sends them", MLFLOW_EVENTS)]
    return [(word, [(each, words_of(each)) for each in events]) for word, events in [*ours, *theirs]]


class WebhookForm(forms.Form):
    name = forms.CharField(
        max_length=63,
        help_text="For people: who is told, such as “team channel”.",
        widget=forms.TextInput({"class": "in", "autocomplete": "off"}),
    )
    url = forms.CharField(
        label="Address",
        max_length=2000,
        help_text="An https address of a public host; an operator can name private ones.",
        widget=forms.TextInput(
            {"class": "in", "inputmode": "url", "placeholder": "https://hooks.example.org/models"}
        ),
    )
    events = forms.MultipleChoiceField(
        choices=_choices,
        widget=forms.CheckboxSelectMultiple,
        help_text="One message for each event; what is not chosen is never sent.",
    )
    model = forms.CharField(
        label="Only of the model",
        required=False,
        max_length=256,
        help_text="A registered model's name; empty means all models.",
        widget=forms.TextInput({"class": "in", "autocomplete": "off"}),
    )

    def __init__(self, *args: Any, is_for_one_model: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if is_for_one_model:
            self.fields["model"].required = True
            self.fields["model"].help_text = "A registered model that you administer."

    @property
    def event_groups(self) -> list[tuple[str, int, list[dict[str, Any]]]]:
        """Each group with how many of it are chosen, and its checkboxes."""
        field = self["events"]
        chosen = [str(each) for each in field.value() or []]
        groups = field.field.widget.optgroups(field.html_name, chosen)
        return [(word, sum(bool(each["selected"]) for each in boxes), boxes) for word, boxes, _ in groups]

    def changes(self) -> dict[str, Any]:
        return {name: value for name, value in self.cleaned_data.items() if name != "model"}


class ChangedWebhookForm(WebhookForm):
    """What may change later: not which model it is about."""

    model = None  # type: ignore[assignment]
