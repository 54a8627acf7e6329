"""Kept answers are repeated to the same kind of caller only; those from before are repeated to nobody."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("core", "0002_jobs_know_their_model_by_id")]

    operations = [
        migrations.AddField(
            model_name="idempotentanswer",
            name="asked_as",
            field=models.CharField(default="", max_length=64),
        ),
        migrations.RemoveConstraint(model_name="idempotentanswer", name="one_answer_per_key"),
        migrations.AddConstraint(
            model_name="idempotentanswer",
            constraint=models.UniqueConstraint(
                fields=("account_id", "asked_as", "key"), name="one_answer_per_key"
            ),
        ),
    ]
