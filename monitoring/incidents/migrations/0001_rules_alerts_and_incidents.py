import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import core.identifiers


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("deployments", "0003_staging_production_and_this_host"),
        ("registry", "0002_ready_content_is_frozen"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="AlertRule",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=core.identifiers.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("name", models.CharField(max_length=200)),
                (
                    "metric",
                    models.CharField(
                        choices=[
                            ("roc_auc", "ROC AUC"),
                            ("pr_auc", "PR AUC"),
                            ("brier", "Brier score"),
                            ("log_loss", "Log loss"),
                            ("psi", "PSI"),
                            ("missing_share", "Missing share"),
                            ("latency_p95_ms", "Latency p95"),
                            ("error_rate", "Error rate"),
                        ],
                        max_length=20,
                    ),
                ),
                ("feature", models.CharField(blank=True, default="", max_length=300)),
                (
                    "against",
                    models.CharField(
                        choices=[("limit", "A limit"), ("shadow", "The shadow on the same rows")],
                        default="limit",
                        max_length=6,
                    ),
                ),
                (
                    "direction",
                    models.CharField(choices=[("below", "Below"), ("above", "Above")], max_length=5),
                ),
                ("limit", models.FloatField()),
                (
                    "window",
                    models.CharField(choices=[("day", "Day"), ("week", "Week")], default="day", max_length=4),
                ),
                ("fire_after", models.PositiveSmallIntegerField(default=2)),
                ("clear_after", models.PositiveSmallIntegerField(default=2)),
                ("fewest_rows", models.PositiveIntegerField(default=200)),
                (
                    "severity",
                    models.CharField(
                        choices=[("warning", "Warning"), ("critical", "Critical")],
                        default="critical",
                        max_length=8,
                    ),
                ),
                ("opens_incident", models.BooleanField(default=True)),
                ("is_enabled", models.BooleanField(default=True)),
                ("rev", models.PositiveIntegerField(default=1)),
                ("created_by_name", models.CharField(blank=True, default="", max_length=150)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("retired_at", models.DateTimeField(null=True)),
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
                    "endpoint",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="alert_rules",
                        to="deployments.endpoint",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="Incident",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=core.identifiers.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("title", models.CharField(max_length=500)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("open", "Open"),
                            ("acknowledged", "Acknowledged"),
                            ("resolved", "Resolved"),
                        ],
                        default="open",
                        max_length=12,
                    ),
                ),
                (
                    "severity",
                    models.CharField(
                        choices=[("warning", "Warning"), ("critical", "Critical")], max_length=8
                    ),
                ),
                ("cause", models.CharField(default="alert", max_length=40)),
                ("rev", models.PositiveIntegerField(default=1)),
                ("opened_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("acknowledged_at", models.DateTimeField(null=True)),
                ("resolved_at", models.DateTimeField(null=True)),
                ("resolution", models.TextField(blank=True, default="")),
                (
                    "endpoint",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="incidents",
                        to="deployments.endpoint",
                    ),
                ),
                (
                    "handler",
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
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="incidents",
                        to="registry.registeredmodel",
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="registry.modelversion",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="Alert",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=core.identifiers.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("finding", models.CharField(max_length=500)),
                ("window_starts_on", models.DateField()),
                ("windows", models.JSONField(default=list)),
                ("fired_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("cleared_at", models.DateTimeField(null=True)),
                ("cleared_because", models.CharField(blank=True, default="", max_length=300)),
                (
                    "against",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="registry.modelversion",
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="registry.modelversion",
                    ),
                ),
                (
                    "rule",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="alerts",
                        to="monitoring_incidents.alertrule",
                    ),
                ),
                (
                    "incident",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="alerts",
                        to="monitoring_incidents.incident",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="PostMortem",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("revision", models.PositiveIntegerField()),
                ("summary", models.TextField()),
                ("impact", models.TextField()),
                ("cause", models.TextField()),
                ("what_we_changed", models.TextField(blank=True, default="")),
                ("follow_ups", models.TextField(blank=True, default="")),
                ("written_by_name", models.CharField(blank=True, default="", max_length=150)),
                ("written_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "incident",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="post_mortems",
                        to="monitoring_incidents.incident",
                    ),
                ),
                (
                    "written_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="TimelineEntry",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=core.identifiers.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("opened", "Opened"),
                            ("alert", "Alert"),
                            ("cleared", "Cleared"),
                            ("acknowledged", "Acknowledged"),
                            ("comment", "Comment"),
                            ("deployment", "Deployment"),
                            ("rolled_back", "Rolled back"),
                            ("resolved", "Resolved"),
                            ("post_mortem", "Post-mortem"),
                        ],
                        max_length=12,
                    ),
                ),
                ("text", models.TextField(blank=True, default="")),
                ("key", models.CharField(blank=True, default="", max_length=200)),
                ("by_name", models.CharField(blank=True, default="", max_length=150)),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "incident",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="timeline",
                        to="monitoring_incidents.incident",
                    ),
                ),
            ],
            options={
                "ordering": ["at", "id"],
                "default_permissions": (),
            },
        ),
        migrations.AddIndex(
            model_name="alertrule",
            index=models.Index(
                models.OrderBy(models.F("created_at"), descending=True), name="rule_newest_first"
            ),
        ),
        migrations.AddConstraint(
            model_name="alertrule",
            constraint=models.UniqueConstraint(
                condition=models.Q(("retired_at__isnull", True)),
                fields=("endpoint", "name"),
                name="one_rule_per_name",
            ),
        ),
        migrations.AddConstraint(
            model_name="alertrule",
            constraint=models.CheckConstraint(
                condition=models.Q(("clear_after__gte", 1), ("fire_after__gte", 1)),
                name="a_rule_waits_for_a_window",
            ),
        ),
        migrations.AddConstraint(
            model_name="alertrule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("against", "limit"),
                    ("metric__in", ["brier", "log_loss", "pr_auc", "roc_auc"]),
                    _connector="OR",
                ),
                name="only_quality_is_compared_with_a_shadow",
            ),
        ),
        migrations.AddIndex(
            model_name="incident",
            index=models.Index(
                models.OrderBy(models.F("opened_at"), descending=True), name="incident_newest_first"
            ),
        ),
        migrations.AddIndex(
            model_name="incident",
            index=models.Index(
                models.F("model"),
                condition=models.Q(("status", "resolved"), _negated=True),
                name="incident_open",
            ),
        ),
        migrations.AddConstraint(
            model_name="incident",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "resolved"), _negated=True),
                    models.Q(("resolution", ""), _negated=True),
                    _connector="OR",
                ),
                name="a_resolved_incident_says_how",
            ),
        ),
        migrations.AddConstraint(
            model_name="incident",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "acknowledged"), _negated=True),
                    ("acknowledged_at__isnull", False),
                    _connector="OR",
                ),
                name="an_acknowledged_incident_says_when",
            ),
        ),
        migrations.AddIndex(
            model_name="alert",
            index=models.Index(
                models.OrderBy(models.F("fired_at"), descending=True), name="alert_newest_first"
            ),
        ),
        migrations.AddConstraint(
            model_name="alert",
            constraint=models.UniqueConstraint(
                fields=("rule", "version", "window_starts_on"), name="a_rule_fires_once_per_window"
            ),
        ),
        migrations.AddConstraint(
            model_name="alert",
            constraint=models.UniqueConstraint(
                condition=models.Q(("cleared_at__isnull", True)),
                fields=("rule", "version"),
                name="one_firing_alert_per_rule",
            ),
        ),
        migrations.AddConstraint(
            model_name="postmortem",
            constraint=models.UniqueConstraint(
                fields=("incident", "revision"), name="post_mortem_revisions_are_counted"
            ),
        ),
        migrations.AddIndex(
            model_name="timelineentry",
            index=models.Index(models.F("incident"), models.F("at"), name="timeline_of_incident"),
        ),
        migrations.AddConstraint(
            model_name="timelineentry",
            constraint=models.UniqueConstraint(
                condition=models.Q(("key", ""), _negated=True),
                fields=("incident", "key"),
                name="one_timeline_entry_per_event",
            ),
        ),
    ]
