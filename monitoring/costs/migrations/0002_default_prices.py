"""Prices to begin with, stated as such: an admin replaces them with the installation's own."""

from datetime import date
from decimal import Decimal

from django.db import migrations

SOURCE = (
    "Default: about the list price of a general-purpose virtual machine and of object storage at the large"
    " clouds in 2026. Replace it with your own."
)
PRICES = {
    "cpu": Decimal("0.040000"),
    "memory": Decimal("0.005000"),
    "storage": Decimal("0.023000"),
    "requests": Decimal("0.000000"),
}


def add(apps, schema_editor):
    rules = apps.get_model("monitoring_costs", "PriceRule").objects
    for resource, price in PRICES.items():
        rules.create(
            resource=resource,
            price_usd=price,
            valid_from=date(2000, 1, 1),
            source=SOURCE,
            is_default=True,
            created_by_name="installation",
        )


def remove(apps, schema_editor):
    apps.get_model("monitoring_costs", "PriceRule").objects.filter(
        is_default=True, entries__isnull=True
    ).delete()


class Migration(migrations.Migration):
    dependencies = [("monitoring_costs", "0001_prices_and_costs")]
    operations = [migrations.RunPython(add, remove)]
