"""The ledger's schema. Its tables are unmanaged: Django never alters or empties them."""

from django.db import migrations, models

from audit import sql


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.RunSQL(sql.CREATE, sql.DROP),
        migrations.CreateModel(
            name="Event",
            fields=[
                ("id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("db_user", models.TextField()),
                ("recorded_at", models.DateTimeField()),
                ("body", models.TextField()),
                ("leaf", models.BinaryField()),
                ("fields", models.JSONField()),
            ],
            options={"db_table": '"audit"."event"', "managed": False},
        ),
        migrations.CreateModel(
            name="Seal",
            fields=[
                ("seq", models.BigIntegerField(primary_key=True, serialize=False)),
                ("event_id", models.BigIntegerField()),
                ("leaf", models.BinaryField()),
            ],
            options={"db_table": '"audit"."seal"', "managed": False},
        ),
        migrations.CreateModel(
            name="Checkpoint",
            fields=[
                ("tree_size", models.BigIntegerField(primary_key=True, serialize=False)),
                ("root", models.BinaryField()),
                ("note", models.TextField()),
                ("sealed_at", models.DateTimeField()),
            ],
            options={"db_table": '"audit"."checkpoint"', "managed": False},
        ),
    ]
