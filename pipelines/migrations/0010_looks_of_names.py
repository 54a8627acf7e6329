"""Data sets whose names could be taken for each other share a key, as registered models do."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("pipelines", "0009_grants_are_found_by_two_indexes")]

    operations = [
        migrations.AddField(
            model_name="dataset",
            name="look_sha256",
            field=models.CharField(default="", editable=False, max_length=64),
            preserve_default=False,
        ),
        migrations.AddIndex(model_name="dataset", index=models.Index("look_sha256", name="dataset_by_look")),
    ]
