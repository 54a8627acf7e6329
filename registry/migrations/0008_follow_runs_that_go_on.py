"""A run goes on after its version was registered; what it says may follow until it has ended."""

from django.db import migrations, models

FUNCTION = """
CREATE OR REPLACE FUNCTION registry_refuse_changed_content() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.number IS DISTINCT FROM OLD.number OR NEW.model_id IS DISTINCT FROM OLD.model_id THEN
        RAISE EXCEPTION 'a model version keeps its model and number' USING ERRCODE = '42501';
    END IF;
    IF OLD.status = 'READY' AND (
        NEW.status, NEW.digest, NEW.manifest, NEW.size, NEW.file_count, NEW.flavours, NEW.signature,
        NEW.requirements, NEW.environment, NEW.source, NEW.run_id, NEW.logged_model_id, NEW.created_by_id,
        NEW.created_at, NEW.parent_id
    ) IS DISTINCT FROM (
        OLD.status, OLD.digest, OLD.manifest, OLD.size, OLD.file_count, OLD.flavours, OLD.signature,
        OLD.requirements, OLD.environment, OLD.source, OLD.run_id, OLD.logged_model_id, OLD.created_by_id,
        OLD.created_at, OLD.parent_id
    ) THEN
        RAISE EXCEPTION 'the content of a ready model version never changes' USING ERRCODE = '42501';
    END IF;
    IF OLD.status = 'READY' {going} AND (
        NEW.parameters, NEW.metrics, NEW.code_commit, NEW.holdout, NEW.run
    ) IS DISTINCT FROM (
        OLD.parameters, OLD.metrics, OLD.code_commit, OLD.holdout, OLD.run
    ) THEN
        RAISE EXCEPTION 'what the run of a ready model version logged never changes' USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;
"""
FOLLOWED = FUNCTION.format(going="AND OLD.run ->> 'status' IS DISTINCT FROM 'RUNNING'")
FROZEN = FUNCTION.format(going="")


class Migration(migrations.Migration):
    dependencies = [("registry", "0007_find_by_part_of_name")]

    operations = [
        migrations.AddIndex(
            model_name="modelversion",
            index=models.Index(
                models.F("created_at"),
                condition=models.Q(("run__status", "RUNNING")),
                name="version_of_going_run",
            ),
        ),
        migrations.RunSQL(FOLLOWED, FROZEN),
    ]
