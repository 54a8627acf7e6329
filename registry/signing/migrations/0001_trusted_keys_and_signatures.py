"""Keys that are trusted to sign models, and what signatures were found to be."""

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
            name="TrustedKey",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=core.identifiers.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("name", models.CharField(max_length=100)),
                ("public_key", models.TextField()),
                ("fingerprint", models.CharField(max_length=64)),
                ("reason", models.CharField(max_length=1000)),
                ("added_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("retire_reason", models.CharField(blank=True, default="", max_length=1000)),
                ("retired_at", models.DateTimeField(null=True)),
                (
                    "added_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "retired_by",
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
            name="VersionSignature",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("verified", "Verified"),
                            ("untrusted", "By no trusted key"),
                            ("failed", "Does not hold"),
                        ],
                        max_length=10,
                    ),
                ),
                ("finding", models.CharField(blank=True, default="", max_length=1000)),
                ("checked_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "key",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="signatures",
                        to="registry_signing.trustedkey",
                    ),
                ),
                (
                    "version",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="openssf_signature",
                        to="registry.modelversion",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.AddConstraint(
            model_name="trustedkey",
            constraint=models.UniqueConstraint(
                condition=models.Q(("retired_at__isnull", True)),
                fields=("name",),
                name="one_trusted_key_per_name",
            ),
        ),
        migrations.AddConstraint(
            model_name="trustedkey",
            constraint=models.UniqueConstraint(
                condition=models.Q(("retired_at__isnull", True)),
                fields=("fingerprint",),
                name="a_key_is_trusted_under_one_name",
            ),
        ),
        migrations.AddConstraint(
            model_name="versionsignature",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("outcome", "verified"), _negated=True), ("key__isnull", False), _connector="OR"
                ),
                name="a_verified_signature_names_its_key",
            ),
        ),
    ]
