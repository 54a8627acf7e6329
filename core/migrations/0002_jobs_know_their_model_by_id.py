"""Jobs written before this belong to who asked for them: a name proves nothing about a model."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("core", "0001_durable_jobs_and_idempotent_answers")]

    operations = [
        migrations.AddField(model_name="job", name="model_id", field=models.UUIDField(null=True)),
    ]
