"""Look-alike names are found in any case of letters: the stored look of each name is made anew."""

from django.db import migrations

from core.canonical import sha256_hex
from core.looks import bucket, skeleton

AT_ONCE = 1000


def fill_with(look):
    """The same index holds the other look; deleted models have theirs made anew as well."""

    def fill(apps, schema_editor):
        models = apps.get_model("registry", "RegisteredModel").objects
        rows = []
        for model in models.only("pk", "name").iterator(AT_ONCE):
            model.look_sha256 = sha256_hex(look(model.name))
            rows.append(model)
            if len(rows) == AT_ONCE:
                models.bulk_update(rows, ["look_sha256"])
                rows.clear()
        models.bulk_update(rows, ["look_sha256"])

    return fill


class Migration(migrations.Migration):
    dependencies = [("registry", "0008_follow_runs_that_go_on")]

    operations = [migrations.RunPython(fill_with(bucket), fill_with(skeleton))]
