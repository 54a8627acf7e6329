"""What a browser may send about webhooks."""

from typing import Any

from django import forms

from workspace.webhooks.catalogue import MLFLOW_EVENTS, OUR_EVENTS, words_of


class WebhookForm(forms.Form):
    name = forms.CharField(max_length=63, widget=forms.TextInput({"class": "in", "autocomplete": "off"}))
    url = forms.CharField(
        label="Address",
        max_length=2000,
        help_text="An https address of a public host; an operator can name private ones.",
        widget=forms.TextInput(
            {"class": "in", "inputmode": "url", "placeholder": "https://hooks.example.org/models"}
        ),
    )
    events = forms.MultipleChoiceField(
        choices=[
            ("Of this product", [(each, words_of(each)) for each in OUR_EVENTS]),
            ("As MLflow names them", [(each, words_of(each)) for each in MLFLOW_EVENTS]),
        ],
        widget=forms.SelectMultiple({"class": "in", "size": 10}),
        help_text="Hold Ctrl or Command to choose several.",
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

    def changes(self) -> dict[str, Any]:
        return {name: value for name, value in self.cleaned_data.items() if name != "model"}


class ChangedWebhookForm(WebhookForm):
    """What may change later: not which model it is about."""

    model = None  # type: ignore[assignment]
