"""The look of every name there is."""

from django.db import migrations

from core.looks import look_sha256

AT_ONCE = 1000


def fill(apps, schema_editor):
    datasets = apps.get_model("pipelines", "Dataset").objects
    rows = []
    for dataset in datasets.only("pk", "name").iterator(AT_ONCE):
        dataset.look_sha256 = look_sha256(dataset.name)
        rows.append(dataset)
        if len(rows) == AT_ONCE:
            datasets.bulk_update(rows, ["look_sha256"])
            rows.clear()
    datasets.bulk_update(rows, ["look_sha256"])


class Migration(migrations.Migration):
    dependencies = [("pipelines", "0010_looks_of_names")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
