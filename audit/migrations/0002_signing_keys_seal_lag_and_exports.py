"""Public keys of the ledger, how far the sealer is behind, paths that find events, and exports."""

import django.db.models.functions.datetime
from django.db import migrations, models

import core.identifiers

FORWARDS = """
SET LOCAL ROLE audit_owner;
CREATE TABLE audit.signing_key (vkey text PRIMARY KEY, added_at timestamptz NOT NULL DEFAULT clock_timestamp());
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON audit.signing_key
    FOR EACH ROW EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON audit.signing_key
    FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change();
-- A refusal needs no row to look at: it is refused even when nothing matches.
CREATE TRIGGER refuse_change_of_none BEFORE UPDATE OR DELETE ON audit.event
    FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change();

-- How far the sealer is behind, without showing the queue itself.
CREATE FUNCTION audit.unsealed(OUT events bigint, OUT oldest timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT count(*), min(event.recorded_at) FROM audit.pending JOIN audit.event ON event.id = pending.event_id
$$;

DROP INDEX audit.event_by_object;
CREATE INDEX event_by_object ON audit.event ((fields #>> '{object,type}'), (fields #>> '{object,id}'), id DESC);
DROP INDEX audit.event_by_actor;
CREATE INDEX event_by_actor ON audit.event ((fields #>> '{actor,name}'), id DESC);
CREATE INDEX event_by_time ON audit.event (recorded_at);
CREATE INDEX event_not_ok ON audit.event ((fields ->> 'outcome'), id DESC) WHERE fields ->> 'outcome' <> 'ok';

REVOKE ALL ON FUNCTION audit.unsealed() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit.unsealed() TO cp_app, cp_sealer, cp_auditor;
GRANT SELECT ON audit.signing_key TO cp_app, cp_sealer, cp_auditor;
GRANT INSERT ON audit.signing_key TO cp_sealer;
RESET ROLE;
"""
BACKWARDS = """
SET LOCAL ROLE audit_owner;
DROP INDEX audit.event_not_ok, audit.event_by_time, audit.event_by_actor, audit.event_by_object;
CREATE INDEX event_by_object ON audit.event ((fields->'object'->>'type'), (fields->'object'->>'id'), id DESC);
CREATE INDEX event_by_actor ON audit.event ((fields->'actor'->>'name'), id DESC);
DROP FUNCTION audit.unsealed();
DROP TRIGGER refuse_change_of_none ON audit.event;
DROP TABLE audit.signing_key;
RESET ROLE;
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_append_only_ledger")]

    operations = [
        migrations.RunSQL(FORWARDS, BACKWARDS),
        migrations.CreateModel(
            name="SigningKey",
            fields=[
                ("vkey", models.TextField(primary_key=True, serialize=False)),
                ("added_at", models.DateTimeField()),
            ],
            options={"db_table": '"audit"."signing_key"', "managed": False},
        ),
        migrations.CreateModel(
            name="Personal",
            fields=[
                ("commitment", models.TextField(primary_key=True, serialize=False)),
                ("salt", models.TextField()),
                ("value", models.TextField(null=True)),
            ],
            options={"db_table": '"audit"."personal"', "managed": False},
        ),
        migrations.CreateModel(
            name="Export",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=core.identifiers.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "format",
                    models.CharField(
                        choices=[("bundle", "Evidence bundle"), ("jsonl", "JSON Lines")], max_length=8
                    ),
                ),
                ("selection", models.JSONField(default=dict)),
                ("title", models.CharField(blank=True, default="", max_length=200)),
                (
                    "status",
                    models.CharField(
                        choices=[("waiting", "Waiting"), ("ready", "Ready"), ("failed", "Failed")],
                        default="waiting",
                        max_length=8,
                    ),
                ),
                ("tree_size", models.BigIntegerField(null=True)),
                ("events", models.BigIntegerField(null=True)),
                ("digest", models.CharField(blank=True, default="", max_length=64)),
                ("size", models.BigIntegerField(null=True)),
                ("verdict", models.JSONField(null=True)),
                ("failure", models.TextField(blank=True, default="")),
                ("requested_by_id", models.UUIDField(null=True)),
                ("requested_by_name", models.CharField(blank=True, default="", max_length=150)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("finished_at", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        models.OrderBy(models.F("created_at"), descending=True), name="export_newest_first"
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("status", "ready"), _negated=True)
                        | models.Q(("digest__regex", "^[0-9a-f]{64}$"), ("tree_size__isnull", False)),
                        name="a_ready_export_names_its_bytes_and_checkpoint",
                    )
                ],
            },
        ),
    ]
