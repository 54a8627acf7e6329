"""What a browser may send to the pages across packages."""

from django import forms

from audit.models import Export


class ExportForm(forms.Form):
    """Which events, as which file. Nothing is preselected."""

    title = forms.CharField(
        label="Title", max_length=200, required=False, widget=forms.TextInput(attrs={"class": "in"})
    )
    format = forms.ChoiceField(
        label="Format",
        choices=[("", "Choose a format"), *Export.Format.choices],
        widget=forms.Select(attrs={"class": "in"}),
    )
    since = forms.CharField(
        label="From",
        required=False,
        help_text="First moment, UTC. Leave both times empty for the whole ledger.",
        widget=forms.TextInput(attrs={"class": "in", "placeholder": "2013-04-26"}),
    )
    until = forms.CharField(
        label="To",
        required=False,
        help_text="First moment that is left out, UTC.",
        widget=forms.TextInput(attrs={"class": "in", "placeholder": "2013-04-27T12:00:00Z"}),
    )
