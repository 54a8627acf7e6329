"""The environments and the target every installation starts with."""

from django.db import migrations

ENVIRONMENTS = (
    ("staging", False, "", 10, "Free to deploy for operators and people with the grant."),
    ("production", True, "champion", 20, "Protected: needs an approved promotion request."),
)


def add(apps, schema_editor):
    environments = apps.get_model("deployments", "Environment").objects
    for name, is_protected, alias, order, description in ENVIRONMENTS:
        environments.get_or_create(
            name=name,
            defaults={
                "is_protected": is_protected,
                "alias": alias,
                "order": order,
                "description": description,
            },
        )
    apps.get_model("deployments", "Target").objects.get_or_create(name="local", defaults={"kind": "local"})


class Migration(migrations.Migration):
    dependencies = [("deployments", "0002_a_clearance_fits_its_deployment")]

    # Reversing keeps the rows: endpoints may refer to them, and names are never reused without history.
    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
