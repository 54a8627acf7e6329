"""A version remembers which one it was made from, and keeps that like all of its content."""

import django.db.models.deletion
from django.db import migrations, models

FUNCTION = """
CREATE OR REPLACE FUNCTION registry_refuse_changed_content() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.number IS DISTINCT FROM OLD.number OR NEW.model_id IS DISTINCT FROM OLD.model_id THEN
        RAISE EXCEPTION 'a model version keeps its model and number' USING ERRCODE = '42501';
    END IF;
    IF OLD.status = 'READY' AND (
        NEW.status, NEW.digest, NEW.manifest, NEW.size, NEW.file_count, NEW.flavours, NEW.signature,
        NEW.requirements, NEW.environment, NEW.parameters, NEW.metrics, NEW.code_commit, NEW.holdout,
        NEW.source, NEW.run_id, NEW.logged_model_id, NEW.run, NEW.created_by_id, NEW.created_at{new}
    ) IS DISTINCT FROM (
        OLD.status, OLD.digest, OLD.manifest, OLD.size, OLD.file_count, OLD.flavours, OLD.signature,
        OLD.requirements, OLD.environment, OLD.parameters, OLD.metrics, OLD.code_commit, OLD.holdout,
        OLD.source, OLD.run_id, OLD.logged_model_id, OLD.run, OLD.created_by_id, OLD.created_at{old}
    ) THEN
        RAISE EXCEPTION 'the content of a ready model version never changes' USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;
"""
WITH_PARENT = FUNCTION.format(new=", NEW.parent_id", old=", OLD.parent_id")
WITHOUT_PARENT = FUNCTION.format(new="", old="")


class Migration(migrations.Migration):
    dependencies = [("registry", "0004_find_by_name_and_tag")]

    operations = [
        migrations.AddField(
            model_name="modelversion",
            name="parent",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="children",
                to="registry.modelversion",
            ),
        ),
        migrations.RunSQL(WITH_PARENT, WITHOUT_PARENT),
    ]
