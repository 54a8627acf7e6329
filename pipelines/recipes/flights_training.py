"""Training a classifier of late arrivals."""

from __future__ import annotations

from typing import Any

from django.db.models import Q

from core.actors import Actor
from core.errors import Invalid
from pipelines.models import Dataset, DatasetVersion
from pipelines.recipes.parameters import Parameter, Recipe

FEATURES = ("schedule", "weather")
HOLDOUTS = ("random", "time_ordered")


def training_data(actor: Actor, parameters: dict[str, Any]) -> list[DatasetVersion]:
    """The versions named by label or number, in the order named; what one may not see is unknown."""
    dataset = Dataset.objects.visible_to(actor).filter(name=parameters["dataset"]).first()
    if dataset is None:
        raise Invalid(
            f"There is no data set named {parameters['dataset']!r}.",
            field="parameters.dataset",
            allowed="a data set you may see",
        )
    return [
        _version(dataset, word, f"parameters.versions[{at}]")
        for at, word in enumerate(parameters["versions"])
    ]


def _version(dataset: Dataset, word: str, field: str) -> DatasetVersion:
    wanted = Q(label=word)
    if word.isascii() and word.isdigit() and len(word) < 10:
        wanted |= Q(number=int(word))
    rows = dataset.versions.exclude(status=DatasetVersion.Status.FAILED).select_related("dataset")
    version = rows.filter(wanted).order_by("-number").first()
    if version is None:
        raise Invalid(
            f"{dataset} has no version {word!r}.", field=field, allowed="a label or number of a version"
        )
    return version


FLIGHTS_TRAINING = Recipe(
    name="flights_training",
    queue="evaluations",
    data=training_data,
    parameters=(
        Parameter("dataset", "text", "Data set", default="flights", longest=100),
        Parameter("versions", "texts", "Its versions, by label or number", is_required=True, longest=100),
        Parameter(
            "model", "text", "Registered model that gets the new version", default="flight-delay", longest=256
        ),
        Parameter(
            "features", "text", "Schedule alone, or with weather", default="schedule", choices=FEATURES
        ),
        Parameter("holdout", "text", "How the hold-out is split", default="random", choices=HOLDOUTS),
        Parameter("test_fraction", "number", "Share of rows held out", default=0.2, low=0.05, high=0.5),
        Parameter("seed", "integer", "Seed of split and training", default=1, low=0, high=2**31 - 1),
        Parameter("iterations", "integer", "Trees", default=100, low=10, high=500),
        Parameter("learning_rate", "number", "Learning rate", default=0.1, low=0.01, high=1.0),
    ),
)
