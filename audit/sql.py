"""The ledger's tables, triggers and rights (SECURITY 4.2): append-only for everybody.

Owned by audit_owner, who cannot sign in. The application may only add an event's body; the
leaf, the time and the database user come from the database itself.
"""

TABLES = """
CREATE TABLE audit.event (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    db_user text NOT NULL DEFAULT session_user,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    body text NOT NULL,
    leaf bytea NOT NULL,
    fields jsonb NOT NULL
);
CREATE UNIQUE INDEX event_by_public_id ON audit.event ((fields->>'id'));
CREATE INDEX event_by_action ON audit.event ((fields->>'action'), id DESC);
CREATE INDEX event_by_object ON audit.event ((fields->'object'->>'type'), (fields->'object'->>'id'), id DESC);
CREATE INDEX event_by_actor ON audit.event ((fields->'actor'->>'name'), id DESC);
CREATE TABLE audit.pending (event_id bigint PRIMARY KEY);
CREATE TABLE audit.seal (
    seq bigint PRIMARY KEY,
    event_id bigint NOT NULL UNIQUE,
    leaf bytea NOT NULL
);
CREATE TABLE audit.checkpoint (
    tree_size bigint PRIMARY KEY,
    root bytea NOT NULL,
    note text NOT NULL,
    sealed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TABLE audit.witness (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    note text NOT NULL,
    seen_by text NOT NULL,
    seen_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TABLE audit.personal (
    commitment text PRIMARY KEY,
    salt text NOT NULL,
    value text
);
"""

# leaf = SHA-256(0x00 || recorded_at || 0x1f || db_user || 0x1f || body): RFC 6962's leaf prefix.
FUNCTIONS = r"""
CREATE FUNCTION audit.moment(at timestamptz) RETURNS text LANGUAGE sql STABLE
    SET timezone = 'UTC'
    AS $$ SELECT to_char(at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') $$;

CREATE FUNCTION audit.complete_event() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    NEW.xid := pg_current_xact_id();
    NEW.db_user := session_user;
    NEW.recorded_at := clock_timestamp();
    NEW.fields := NEW.body::jsonb;
    NEW.leaf := sha256(
        '\x00'::bytea || convert_to(audit.moment(NEW.recorded_at), 'UTF8')
        || '\x1f'::bytea || convert_to(NEW.db_user, 'UTF8')
        || '\x1f'::bytea || convert_to(NEW.body, 'UTF8'));
    RETURN NEW;
END $$;

CREATE FUNCTION audit.await_seal() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    INSERT INTO audit.pending (event_id) VALUES (NEW.id);
    RETURN NULL;
END $$;

CREATE FUNCTION audit.refuse_change() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog AS $$
BEGIN
    RAISE EXCEPTION 'The ledger is append-only: % on audit.% is refused.', TG_OP, TG_TABLE_NAME
        USING ERRCODE = '42501';
END $$;

CREATE TRIGGER complete_event BEFORE INSERT ON audit.event
    FOR EACH ROW EXECUTE FUNCTION audit.complete_event();
CREATE TRIGGER await_seal AFTER INSERT ON audit.event
    FOR EACH ROW EXECUTE FUNCTION audit.await_seal();
"""

REFUSALS = "".join(
    f"""
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON audit.{table}
    FOR EACH ROW EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON audit.{table}
    FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change();
"""
    for table in ("event", "seal", "checkpoint")
)

RIGHTS = """
REVOKE ALL ON ALL TABLES IN SCHEMA audit FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA audit FROM PUBLIC;
GRANT USAGE ON SCHEMA audit TO cp_app, cp_sealer, cp_auditor;
GRANT EXECUTE ON FUNCTION audit.moment(timestamptz) TO cp_app, cp_sealer, cp_auditor;
GRANT SELECT ON audit.event, audit.seal, audit.checkpoint, audit.witness TO cp_app, cp_sealer, cp_auditor;
GRANT INSERT (body) ON audit.event TO cp_app, cp_sealer;
GRANT SELECT, INSERT, UPDATE (value) ON audit.personal TO cp_app;
GRANT SELECT ON audit.personal TO cp_auditor;
GRANT INSERT ON audit.witness TO cp_app;
GRANT SELECT, DELETE ON audit.pending TO cp_sealer;
GRANT INSERT ON audit.seal, audit.checkpoint TO cp_sealer;
"""

CREATE = "SET ROLE audit_owner;" + TABLES + FUNCTIONS + REFUSALS + RIGHTS + "RESET ROLE;"
DROP = """
SET ROLE audit_owner;
DROP TABLE audit.event, audit.pending, audit.seal, audit.checkpoint, audit.witness, audit.personal CASCADE;
DROP FUNCTION audit.moment(timestamptz), audit.complete_event(), audit.await_seal(), audit.refuse_change();
RESET ROLE;
"""
