"""Registered content never changes: the database itself refuses, whoever asks."""

from django.db import migrations

FREEZE = """
CREATE FUNCTION registry_refuse_changed_content() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.number IS DISTINCT FROM OLD.number OR NEW.model_id IS DISTINCT FROM OLD.model_id THEN
        RAISE EXCEPTION 'a model version keeps its model and number' USING ERRCODE = '42501';
    END IF;
    IF OLD.status = 'READY' AND (
        NEW.status, NEW.digest, NEW.manifest, NEW.size, NEW.file_count, NEW.flavours, NEW.signature,
        NEW.requirements, NEW.environment, NEW.parameters, NEW.metrics, NEW.code_commit, NEW.holdout,
        NEW.source, NEW.run_id, NEW.logged_model_id, NEW.run, NEW.created_by_id, NEW.created_at
    ) IS DISTINCT FROM (
        OLD.status, OLD.digest, OLD.manifest, OLD.size, OLD.file_count, OLD.flavours, OLD.signature,
        OLD.requirements, OLD.environment, OLD.parameters, OLD.metrics, OLD.code_commit, OLD.holdout,
        OLD.source, OLD.run_id, OLD.logged_model_id, OLD.run, OLD.created_by_id, OLD.created_at
    ) THEN
        RAISE EXCEPTION 'the content of a ready model version never changes' USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER content_of_a_ready_version_never_changes BEFORE UPDATE ON registry_modelversion
    FOR EACH ROW EXECUTE FUNCTION registry_refuse_changed_content();
"""
THAW = """
DROP TRIGGER content_of_a_ready_version_never_changes ON registry_modelversion;
DROP FUNCTION registry_refuse_changed_content();
"""


class Migration(migrations.Migration):
    dependencies = [("registry", "0001_registered_models_and_versions")]

    operations = [migrations.RunSQL(FREEZE, THAW)]
