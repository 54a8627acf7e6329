"""The code behind pipelines: what parameters they take and which data they read.

Light: doors ask here what may be asked for. The work itself is in ``pipelines.running``.
"""

from pipelines.recipes.flights_ingest import FLIGHTS_INGEST
from pipelines.recipes.flights_training import FLIGHTS_TRAINING
from pipelines.recipes.parameters import Parameter, Recipe

RECIPES = {each.name: each for each in (FLIGHTS_INGEST, FLIGHTS_TRAINING)}


def recipe_of(name: str) -> Recipe:
    """The recipe a pipeline's row names."""
    return RECIPES[name]


__all__ = ["RECIPES", "Parameter", "Recipe", "recipe_of"]
