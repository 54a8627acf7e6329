import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import core.identifiers


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("deployments", "0003_staging_production_and_this_host"),
        ("registry", "0002_ready_content_is_frozen"),
    ]

    operations = [
        migrations.CreateModel(
            name="LabelBatch",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=core.identifiers.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("received", models.PositiveIntegerField()),
                ("repeated", models.PositiveIntegerField(default=0)),
                ("corrected", models.PositiveIntegerField(default=0)),
                ("unknown", models.PositiveIntegerField(null=True)),
                ("unknown_examples", models.JSONField(default=list)),
                ("received_by_name", models.CharField(blank=True, default="", max_length=150)),
                ("received_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("matched_at", models.DateTimeField(null=True)),
                (
                    "endpoint",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="label_batches",
                        to="deployments.endpoint",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="Label",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("prediction_id", models.CharField(max_length=100)),
                ("value", models.FloatField()),
                ("observed_at", models.DateTimeField()),
                ("event_time", models.DateTimeField(null=True)),
                ("received_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "endpoint",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="labels",
                        to="deployments.endpoint",
                    ),
                ),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="labels",
                        to="monitoring.labelbatch",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="Reference",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=core.identifiers.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("pending", "Being made"),
                            ("ready", "Ready"),
                            ("unavailable", "No training data named"),
                            ("failed", "Failed"),
                        ],
                        default="pending",
                        max_length=12,
                    ),
                ),
                ("dataset", models.CharField(blank=True, default="", max_length=300)),
                ("frame", models.JSONField(default=dict)),
                ("frame_key", models.CharField(blank=True, default="", max_length=64)),
                ("sketch", models.BinaryField(default=b"")),
                ("profile", models.JSONField(default=dict)),
                ("rows", models.PositiveBigIntegerField(default=0)),
                ("score_source", models.CharField(blank=True, default="", max_length=200)),
                ("failure", models.CharField(blank=True, default="", max_length=1000)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("ready_at", models.DateTimeField(null=True)),
                (
                    "version",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reference",
                        to="registry.modelversion",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="Watch",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=core.identifiers.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("fence", models.PositiveBigIntegerField(default=0)),
                ("watermark", models.DateTimeField(null=True)),
                ("served_to", models.DateTimeField(null=True)),
                ("summary", models.JSONField(default=dict)),
                ("refreshed_at", models.DateTimeField(null=True)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "endpoint",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="watch",
                        to="deployments.endpoint",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="StaleDay",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("day", models.DateField()),
                ("marks", models.PositiveIntegerField(default=1)),
                (
                    "watch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="stale_days",
                        to="monitoring.watch",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="SegmentSummary",
            fields=[
                (
                    "segment",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="summary",
                        serialize=False,
                        to="deployments.logsegment",
                    ),
                ),
                ("minutes", models.JSONField(default=dict)),
                ("frame_key", models.CharField(blank=True, default="", max_length=64)),
                ("read_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "watch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="summaries",
                        to="monitoring.watch",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="SegmentSketch",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("role", models.CharField(max_length=6)),
                ("day", models.DateField()),
                ("rows", models.PositiveBigIntegerField()),
                ("refused", models.JSONField(default=dict)),
                ("sketch", models.BinaryField(default=b"")),
                (
                    "segment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sketches",
                        to="deployments.logsegment",
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
                    "watch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sketches",
                        to="monitoring.watch",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="QualityWindow",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "role",
                    models.CharField(choices=[("served", "Served"), ("shadow", "Shadow")], max_length=6),
                ),
                (
                    "granularity",
                    models.CharField(
                        choices=[
                            ("minute", "Minute"),
                            ("hour", "Hour"),
                            ("day", "Day"),
                            ("week", "Week"),
                            ("deployment", "Since first served"),
                        ],
                        max_length=10,
                    ),
                ),
                ("starts_on", models.DateField()),
                ("ends_on", models.DateField()),
                ("predictions", models.PositiveBigIntegerField()),
                ("rows", models.PositiveBigIntegerField()),
                ("positives", models.PositiveBigIntegerField(default=0)),
                ("metrics", models.JSONField(default=dict)),
                ("comparison", models.JSONField(default=dict)),
                ("reason", models.CharField(blank=True, default="", max_length=300)),
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
                    "watch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="quality_windows",
                        to="monitoring.watch",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="LabelDay",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("day", models.DateField()),
                ("predictions", models.PositiveBigIntegerField()),
                ("labelled", models.PositiveBigIntegerField()),
                ("delays", models.JSONField(default=dict)),
                (
                    "watch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="label_days",
                        to="monitoring.watch",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="HealthWindow",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "role",
                    models.CharField(choices=[("served", "Served"), ("shadow", "Shadow")], max_length=6),
                ),
                (
                    "granularity",
                    models.CharField(
                        choices=[
                            ("minute", "Minute"),
                            ("hour", "Hour"),
                            ("day", "Day"),
                            ("week", "Week"),
                            ("deployment", "Since first served"),
                        ],
                        max_length=10,
                    ),
                ),
                ("starts_at", models.DateTimeField()),
                ("requests", models.PositiveBigIntegerField()),
                ("rows", models.PositiveBigIntegerField()),
                ("errors", models.PositiveBigIntegerField(default=0)),
                ("refused", models.PositiveBigIntegerField(default=0)),
                ("latency", models.JSONField(default=dict)),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="registry.modelversion",
                    ),
                ),
                (
                    "watch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="health_windows",
                        to="monitoring.watch",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="FeatureWindow",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "role",
                    models.CharField(choices=[("served", "Served"), ("shadow", "Shadow")], max_length=6),
                ),
                (
                    "granularity",
                    models.CharField(
                        choices=[
                            ("minute", "Minute"),
                            ("hour", "Hour"),
                            ("day", "Day"),
                            ("week", "Week"),
                            ("deployment", "Since first served"),
                        ],
                        max_length=10,
                    ),
                ),
                ("starts_on", models.DateField()),
                ("feature", models.CharField(max_length=300)),
                ("is_prediction", models.BooleanField(default=False)),
                ("rows", models.PositiveBigIntegerField()),
                ("missing", models.PositiveBigIntegerField(default=0)),
                ("unexpected", models.PositiveBigIntegerField(default=0)),
                ("psi", models.FloatField(null=True)),
                ("noise", models.FloatField(null=True)),
                (
                    "level",
                    models.CharField(
                        choices=[
                            ("none", "No rows"),
                            ("few", "Too few rows"),
                            ("stable", "Stable"),
                            ("warn", "Warning"),
                            ("alert", "Alert"),
                        ],
                        max_length=6,
                    ),
                ),
                ("low", models.FloatField(null=True)),
                ("median", models.FloatField(null=True)),
                ("high", models.FloatField(null=True)),
                ("distinct", models.PositiveBigIntegerField(default=0)),
                ("bars", models.JSONField(default=list)),
                ("examples", models.JSONField(default=dict)),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="registry.modelversion",
                    ),
                ),
                (
                    "watch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="feature_windows",
                        to="monitoring.watch",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="DataIssue",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("feature", models.CharField(max_length=300)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("missing", "Missing"),
                            ("out_of_range", "Out of range"),
                            ("unseen", "Unseen category"),
                            ("refused", "Refused"),
                        ],
                        max_length=12,
                    ),
                ),
                ("first_day", models.DateField()),
                ("last_day", models.DateField()),
                ("rows", models.PositiveBigIntegerField()),
                ("affected", models.PositiveBigIntegerField()),
                ("usual_share", models.FloatField(default=0)),
                ("is_open", models.BooleanField(default=True)),
                ("details", models.JSONField(default=dict)),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="registry.modelversion",
                    ),
                ),
                (
                    "watch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="issues",
                        to="monitoring.watch",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.AddIndex(
            model_name="labelbatch",
            index=models.Index(
                models.F("endpoint"),
                models.OrderBy(models.F("received_at"), descending=True),
                name="label_batch_newest_first",
            ),
        ),
        migrations.AddIndex(
            model_name="label",
            index=models.Index(models.F("endpoint"), models.F("event_time"), name="labels_by_event_time"),
        ),
        migrations.AddIndex(
            model_name="label",
            index=models.Index(
                models.F("endpoint"),
                condition=models.Q(("event_time__isnull", True)),
                name="labels_unmatched",
            ),
        ),
        migrations.AddConstraint(
            model_name="label",
            constraint=models.UniqueConstraint(
                fields=("endpoint", "prediction_id"), name="one_label_per_prediction"
            ),
        ),
        migrations.AddConstraint(
            model_name="reference",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "ready"), _negated=True),
                    models.Q(("frame_key", ""), _negated=True),
                    _connector="OR",
                ),
                name="a_ready_reference_has_a_frame",
            ),
        ),
        migrations.AddConstraint(
            model_name="staleday",
            constraint=models.UniqueConstraint(fields=("watch", "day"), name="one_mark_per_stale_day"),
        ),
        migrations.AddIndex(
            model_name="segmentsketch",
            index=models.Index(
                models.F("watch"), models.F("day"), models.F("version"), name="sketches_of_day"
            ),
        ),
        migrations.AddConstraint(
            model_name="segmentsketch",
            constraint=models.UniqueConstraint(
                fields=("segment", "role", "day"), name="one_sketch_per_segment_and_day"
            ),
        ),
        migrations.AddConstraint(
            model_name="qualitywindow",
            constraint=models.UniqueConstraint(
                fields=("watch", "version", "role", "granularity", "starts_on"), name="one_quality_window"
            ),
        ),
        migrations.AddConstraint(
            model_name="qualitywindow",
            constraint=models.CheckConstraint(
                condition=models.Q(("rows__lte", models.F("predictions"))),
                name="labelled_rows_were_predicted",
            ),
        ),
        migrations.AddConstraint(
            model_name="labelday",
            constraint=models.UniqueConstraint(fields=("watch", "day"), name="one_label_count_per_day"),
        ),
        migrations.AddConstraint(
            model_name="healthwindow",
            constraint=models.UniqueConstraint(
                fields=("watch", "granularity", "starts_at", "version", "role"), name="one_health_window"
            ),
        ),
        migrations.AddConstraint(
            model_name="featurewindow",
            constraint=models.UniqueConstraint(
                fields=("watch", "version", "role", "granularity", "starts_on", "feature", "is_prediction"),
                name="one_feature_window",
            ),
        ),
        migrations.AddConstraint(
            model_name="dataissue",
            constraint=models.UniqueConstraint(
                fields=("watch", "version", "feature", "kind", "first_day"), name="one_issue_per_first_day"
            ),
        ),
    ]
