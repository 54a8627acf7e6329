# Webhooks, and what was or will be sent to them.

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import core.identifiers


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("registry", "0004_find_by_name_and_tag"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Webhook",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=core.identifiers.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("name", models.CharField(max_length=63)),
                ("url", models.CharField(max_length=2000)),
                ("description", models.CharField(blank=True, default="", max_length=1000)),
                (
                    "events",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=60), size=None
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[("ACTIVE", "Active"), ("DISABLED", "Disabled")],
                        default="ACTIVE",
                        max_length=8,
                    ),
                ),
                ("disabled_reason", models.CharField(blank=True, default="", max_length=300)),
                ("sealed_secret", models.TextField(blank=True, default="")),
                ("former_sealed_secret", models.TextField(blank=True, default="")),
                ("former_until", models.DateTimeField(null=True)),
                ("failures", models.PositiveIntegerField(default=0)),
                ("held_until", models.DateTimeField(null=True)),
                ("rev", models.PositiveIntegerField(default=1)),
                ("created_by_name", models.CharField(blank=True, default="", max_length=150)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "last_updated_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("deleted_at", models.DateTimeField(null=True)),
                (
                    "created_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "model",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="webhooks",
                        to="registry.registeredmodel",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="Delivery",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=core.identifiers.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("event", models.CharField(max_length=60)),
                ("body", models.TextField()),
                ("is_test", models.BooleanField(default=False)),
                (
                    "status",
                    models.CharField(
                        choices=[("pending", "Waiting"), ("delivered", "Delivered"), ("dead", "Given up")],
                        default="pending",
                        max_length=9,
                    ),
                ),
                ("attempt_count", models.PositiveIntegerField(default=0)),
                ("tried", models.PositiveIntegerField(default=0)),
                ("next_attempt_at", models.DateTimeField(null=True)),
                ("response_status", models.PositiveIntegerField(null=True)),
                ("response_body", models.CharField(blank=True, default="", max_length=1000)),
                ("failure", models.CharField(blank=True, default="", max_length=500)),
                ("attempts", models.JSONField(default=list)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("delivered_at", models.DateTimeField(null=True)),
                (
                    "webhook",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="deliveries",
                        to="workspace_webhooks.webhook",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "deliveries",
                "default_permissions": (),
            },
        ),
        migrations.AddIndex(
            model_name="webhook",
            index=models.Index(
                models.F("created_at"),
                condition=models.Q(("deleted_at__isnull", True), ("status", "ACTIVE")),
                name="webhook_listening",
            ),
        ),
        migrations.AddConstraint(
            model_name="webhook",
            constraint=models.CheckConstraint(
                condition=models.Q(("events", []), _negated=True), name="a_webhook_listens_to_something"
            ),
        ),
        migrations.AddConstraint(
            model_name="webhook",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("deleted_at__isnull", True),
                    models.Q(("former_sealed_secret", ""), ("sealed_secret", "")),
                    _connector="OR",
                ),
                name="a_deleted_webhook_keeps_no_secret",
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                models.F("webhook"),
                models.OrderBy(models.F("id"), descending=True),
                name="delivery_of_webhook",
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(models.F("created_at"), name="delivery_by_age"),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                models.F("next_attempt_at"),
                condition=models.Q(("status", "pending")),
                name="delivery_waiting",
            ),
        ),
    ]
