"""Registering the shipped flights by month."""

from pipelines.recipes.parameters import Parameter, Recipe

FLIGHTS_INGEST = Recipe(
    name="flights_ingest",
    parameters=(
        Parameter("dataset", "text", "Data set to add the months to", default="flights", longest=100),
        Parameter("months", "integers", "Months of 2013", default=list(range(1, 13)), low=1, high=12),
    ),
)
