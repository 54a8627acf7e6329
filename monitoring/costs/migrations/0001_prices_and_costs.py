import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import core.identifiers


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("registry", "0002_ready_content_is_frozen"),
    ]

    operations = [
        migrations.CreateModel(
            name="PriceRule",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=core.identifiers.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "resource",
                    models.CharField(
                        choices=[
                            ("cpu", "CPU"),
                            ("memory", "Memory"),
                            ("storage", "Storage"),
                            ("requests", "Requests"),
                        ],
                        max_length=10,
                    ),
                ),
                ("price_usd", models.DecimalField(decimal_places=6, max_digits=14)),
                ("valid_from", models.DateField()),
                ("source", models.CharField(max_length=300)),
                ("is_default", models.BooleanField(default=False)),
                ("rev", models.PositiveIntegerField(default=1)),
                ("created_by_name", models.CharField(blank=True, default="", max_length=150)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("retired_at", models.DateTimeField(null=True)),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("price_usd__gte", 0)), name="prices_are_not_negative"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("retired_at__isnull", True)),
                        fields=("resource", "valid_from"),
                        name="one_price_per_resource_and_day",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CostEntry",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=core.identifiers.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("day", models.DateField()),
                (
                    "activity",
                    models.CharField(
                        choices=[
                            ("serving", "Serving"),
                            ("shadow", "Serving in shadow"),
                            ("jobs", "Jobs"),
                            ("storage", "Artifacts"),
                        ],
                        max_length=10,
                    ),
                ),
                ("detail", models.CharField(blank=True, default="", max_length=100)),
                (
                    "resource",
                    models.CharField(
                        choices=[
                            ("cpu", "CPU"),
                            ("memory", "Memory"),
                            ("storage", "Storage"),
                            ("requests", "Requests"),
                        ],
                        max_length=10,
                    ),
                ),
                ("quantity", models.DecimalField(decimal_places=8, max_digits=20)),
                ("price_usd", models.DecimalField(decimal_places=6, max_digits=14)),
                ("amount_usd", models.DecimalField(decimal_places=8, max_digits=18)),
                ("computed_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "model",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="registry.registeredmodel",
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="registry.modelversion",
                    ),
                ),
                (
                    "rule",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="entries",
                        to="monitoring_costs.pricerule",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "indexes": [models.Index(models.F("model"), models.F("day"), name="costs_of_model")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("day", "model", "version", "activity", "detail", "resource"),
                        name="one_cost_per_day_and_use",
                        nulls_distinct=False,
                    )
                ],
            },
        ),
    ]
