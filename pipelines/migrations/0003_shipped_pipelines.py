"""The pipelines every installation has; their code is in ``pipelines.recipes``."""

from django.db import migrations

SHIPPED = {
    "flights-ingest": (
        "flights_ingest",
        "Registers the flights of 2013 from New York by month, joined with the hourly weather at their"
        " origin, as versions of a data set.",
    ),
    "flights-training": (
        "flights_training",
        "Trains a classifier of late arrivals on versions of a flights data set, keeps a hold-out as a"
        " version of its own, and registers the model with the MLflow client.",
    ),
}


def ship(apps, schema_editor):
    pipeline = apps.get_model("pipelines", "Pipeline")
    for name, (recipe, description) in SHIPPED.items():
        pipeline.objects.get_or_create(name=name, defaults={"recipe": recipe, "description": description})


def withdraw(apps, schema_editor):
    apps.get_model("pipelines", "Pipeline").objects.filter(name__in=SHIPPED, runs__isnull=True).delete()


class Migration(migrations.Migration):
    dependencies = [("pipelines", "0002_ready_data_is_frozen")]

    operations = [migrations.RunPython(ship, withdraw)]
