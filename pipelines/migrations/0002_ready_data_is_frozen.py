"""The rule "a ready data set version's content never changes" is kept by the database itself."""

from django.db import migrations

FREEZE = """
CREATE FUNCTION pipelines_ready_data_is_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.status IN ('ready', 'quarantined') AND (
        NEW.digest, NEW.size, NEW.rows, NEW.source_digest, NEW.schema, NEW.number, NEW.dataset_id
    ) IS DISTINCT FROM (
        OLD.digest, OLD.size, OLD.rows, OLD.source_digest, OLD.schema, OLD.number, OLD.dataset_id
    ) THEN
        RAISE EXCEPTION 'ready_data_is_frozen: version % of this data set is ready, its content never changes',
            OLD.number USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER ready_data_is_frozen BEFORE UPDATE ON pipelines_datasetversion
    FOR EACH ROW EXECUTE FUNCTION pipelines_ready_data_is_frozen();
"""
THAW = """
DROP TRIGGER ready_data_is_frozen ON pipelines_datasetversion;
DROP FUNCTION pipelines_ready_data_is_frozen();
"""


class Migration(migrations.Migration):
    dependencies = [("pipelines", "0001_datasets_contracts_and_runs")]

    operations = [migrations.RunSQL(FREEZE, THAW)]
