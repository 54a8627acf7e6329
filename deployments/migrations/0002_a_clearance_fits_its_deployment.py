"""What was cleared is what is deployed, and stays so: the database itself refuses, whoever asks."""

from django.db import migrations

GUARD = """
CREATE FUNCTION deployments_require_fitting_clearance() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    asked record;
BEGIN
    SELECT e.is_protected, p.environment_id, p.model_id INTO asked
        FROM deployments_endpoint p JOIN deployments_environment e ON e.id = p.environment_id
        WHERE p.id = NEW.endpoint_id;
    IF asked.is_protected IS DISTINCT FROM NEW.is_protected THEN
        RAISE EXCEPTION 'a deployment says whether its environment is protected'
            USING ERRCODE = '23514', CONSTRAINT = 'protected_deployment_needs_a_clearance';
    END IF;
    IF NOT EXISTS (SELECT FROM registry_modelversion v WHERE v.id = NEW.version_id
            AND v.model_id = asked.model_id AND v.digest = NEW.digest AND v.status = 'READY') THEN
        RAISE EXCEPTION 'a deployment is of a ready version of its endpoint''s model, with its digest'
            USING ERRCODE = '23514', CONSTRAINT = 'deployment_is_of_a_ready_version';
    END IF;
    IF NEW.clearance_id IS NOT NULL AND NOT EXISTS (SELECT FROM deployments_clearance c
            WHERE c.id = NEW.clearance_id AND c.version_id = NEW.version_id AND c.digest = NEW.digest
            AND c.environment_id = asked.environment_id AND c.revoked_at IS NULL
            AND (c.expires_at IS NULL OR c.expires_at > now())) THEN
        RAISE EXCEPTION 'the clearance is of another version, digest or environment, or no longer valid'
            USING ERRCODE = '23514', CONSTRAINT = 'clearance_fits_its_deployment';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER clearance_fits_its_deployment BEFORE INSERT ON deployments_deployment
    FOR EACH ROW EXECUTE FUNCTION deployments_require_fitting_clearance();

CREATE FUNCTION deployments_refuse_changed_deployment() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.endpoint_id, NEW.version_id, NEW.digest, NEW.is_protected, NEW.clearance_id, NEW.created_at)
        IS DISTINCT FROM
        (OLD.endpoint_id, OLD.version_id, OLD.digest, OLD.is_protected, OLD.clearance_id, OLD.created_at) THEN
        RAISE EXCEPTION 'what a deployment deploys never changes' USING ERRCODE = '42501';
    END IF;
    IF OLD.status IN ('rolled_back', 'retired', 'failed', 'aborted') AND NEW.status <> OLD.status THEN
        RAISE EXCEPTION 'a deployment that is over stays over' USING ERRCODE = '42501';
    END IF;
    IF NEW.fence < OLD.fence THEN
        RAISE EXCEPTION 'a fence never goes back' USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER what_a_deployment_deploys_never_changes BEFORE UPDATE ON deployments_deployment
    FOR EACH ROW EXECUTE FUNCTION deployments_refuse_changed_deployment();
"""
UNGUARD = """
DROP TRIGGER what_a_deployment_deploys_never_changes ON deployments_deployment;
DROP FUNCTION deployments_refuse_changed_deployment();
DROP TRIGGER clearance_fits_its_deployment ON deployments_deployment;
DROP FUNCTION deployments_require_fitting_clearance();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("deployments", "0001_environments_endpoints_and_deployments"),
        ("registry", "0002_ready_content_is_frozen"),
    ]

    operations = [migrations.RunSQL(GUARD, UNGUARD)]
