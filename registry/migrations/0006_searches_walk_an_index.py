"""Fewer indexes to keep with each write, and one that gives a model's versions newest first."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_roles"),
        ("registry", "0005_parents_of_versions"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="modelversion",
            name="version_newest_number",
        ),
        migrations.RemoveIndex(
            model_name="registeredmodel",
            name="model_by_name",
        ),
        migrations.AlterField(
            model_name="modelalias",
            name="model",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="aliases",
                to="registry.registeredmodel",
            ),
        ),
        migrations.AlterField(
            model_name="modeltag",
            name="model",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="tags",
                to="registry.registeredmodel",
            ),
        ),
        migrations.AlterField(
            model_name="modelversion",
            name="created_by",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AlterField(
            model_name="modelversion",
            name="model",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="versions",
                to="registry.registeredmodel",
            ),
        ),
        migrations.AlterField(
            model_name="registeredmodel",
            name="created_by",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AlterField(
            model_name="versiontag",
            name="version",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="tags",
                to="registry.modelversion",
            ),
        ),
        migrations.AddIndex(
            model_name="modelversion",
            index=models.Index(
                models.F("model"),
                models.OrderBy(models.F("last_updated_at"), descending=True),
                models.OrderBy(models.F("number"), descending=True),
                name="version_newest_of_model",
            ),
        ),
        migrations.AddIndex(
            model_name="registeredmodel",
            index=models.Index(
                models.F("name"),
                condition=models.Q(("deleted_at__isnull", False)),
                name="deleted_model_by_name",
            ),
        ),
    ]
