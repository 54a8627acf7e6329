"""The same models, versions, tags and aliases in our tables and in MLflow's, straight by SQL.

Names are ``m-0000000`` and on; every model has five versions, two tags and the alias champion;
one more model, ``hot``, has thousands of versions. On our side one data scientist holds view and
register on each model by a grant, as whoever created them would.
"""

from __future__ import annotations

import psycopg

VERSIONS = 5
HOT = 5000

NAME = "'m-' || lpad(i::text, 7, '0')"
TEAM = "'team-' || mod(i, 20)"
TIER = "(ARRAY['gold', 'silver', 'bronze'])[1 + mod(i, 3)]"
# Models come a second apart, their versions a tenth and those of the hot model a millisecond: a registry
# has no half a million rows of one moment.
BEFORE = "make_interval(secs => %(last)s::int - i + 1)"
MOMENT, MOMENT_OF_VERSION = f"now() - {BEFORE}", f"now() - {BEFORE} + make_interval(secs => v * 0.1)"

OURS = [
    f"""INSERT INTO registry_registeredmodel (id, name, look_sha256, description, tier, next_number, rev, created_by_id,
            created_at, last_updated_at)
        SELECT uuidv7(), {NAME}, encode(sha256(convert_to({NAME}, 'UTF8')), 'hex'), 'model ' || i, 'medium', %(next)s, 1, %(account)s,
            {MOMENT}, {MOMENT}
        FROM generate_series(%(first)s::int, %(last)s::int) i""",
    f"""INSERT INTO registry_modelversion (id, model_id, number, status, digest, source, run_id, ready_at, created_by_id,
            status_message, stage, description, run_link, logged_model_id, run, manifest, size, file_count, flavours,
            requirements, environment, format_warning, parameters, metrics, code_commit, holdout, rev, integrity_failure,
            created_at, last_updated_at)
        SELECT uuidv7(), m.id, v, 'READY', encode(sha256(convert_to(i || '/' || v, 'UTF8')), 'hex'), 'runs:/' || md5(i || ':' || v) || '/model',
            md5(i || ':' || v), now(), %(account)s, '', 'None', '', '', '', '{{}}', '[]', 0, 0, '{{}}', '', '{{}}', '', '{{}}', '{{}}', '', '{{}}', 1, '',
            {MOMENT_OF_VERSION}, {MOMENT_OF_VERSION}
        FROM generate_series(%(first)s::int, %(last)s::int) i JOIN registry_registeredmodel m ON m.name = {NAME}
        CROSS JOIN generate_series(1, {VERSIONS}) v""",
    f"""INSERT INTO registry_modeltag (model_id, key, value)
        SELECT m.id, pair.key, pair.value FROM generate_series(%(first)s::int, %(last)s::int) i
        JOIN registry_registeredmodel m ON m.name = {NAME}
        CROSS JOIN LATERAL (VALUES ('team', {TEAM}), ('tier', {TIER})) pair(key, value)""",
    f"""INSERT INTO registry_versiontag (version_id, key, value)
        SELECT v.id, 'dataset', 'ds-' || mod(i, 50) FROM generate_series(%(first)s::int, %(last)s::int) i
        JOIN registry_registeredmodel m ON m.name = {NAME} JOIN registry_modelversion v ON v.model_id = m.id""",
    f"""INSERT INTO registry_modelalias (model_id, name, version_id, set_by_name)
        SELECT m.id, 'champion', v.id, '' FROM generate_series(%(first)s::int, %(last)s::int) i
        JOIN registry_registeredmodel m ON m.name = {NAME}
        JOIN registry_modelversion v ON v.model_id = m.id AND v.number = {VERSIONS}""",
    f"""INSERT INTO registry_access_modelaccountgrant (user_id, content_object_id, permission_id, reason)
        SELECT %(account)s, m.id, p.id, '' FROM generate_series(%(first)s::int, %(last)s::int) i
        JOIN registry_registeredmodel m ON m.name = {NAME}
        JOIN auth_permission p ON p.codename IN ('view', 'register')
        JOIN django_content_type t ON t.id = p.content_type_id AND t.app_label = 'registry' AND t.model = 'registeredmodel'""",
]
OURS_HOT = [
    """INSERT INTO registry_registeredmodel (id, name, look_sha256, description, tier, next_number, rev, created_by_id)
        VALUES (uuidv7(), 'hot', repeat('0', 64), '', 'medium', %(next)s, 1, %(account)s)""",
    """INSERT INTO registry_modelversion (id, model_id, number, status, digest, source, run_id, ready_at, created_by_id,
            status_message, stage, description, run_link, logged_model_id, run, manifest, size, file_count, flavours,
            requirements, environment, format_warning, parameters, metrics, code_commit, holdout, rev, integrity_failure,
            created_at, last_updated_at)
        SELECT uuidv7(), m.id, v, 'READY', encode(sha256(convert_to('hot/' || v, 'UTF8')), 'hex'), 'runs:/' || md5('hot' || v) || '/model',
            md5('hot' || v), now(), %(account)s, '', 'None', '', '', '', '{}', '[]', 0, 0, '{}', '', '{}', '', '{}', '{}', '', '{}', 1, '',
            now() - make_interval(secs => (%(hot)s::int - v) * 0.001), now() - make_interval(secs => (%(hot)s::int - v) * 0.001)
        FROM registry_registeredmodel m CROSS JOIN generate_series(1, %(hot)s::int) v WHERE m.name = 'hot'""",
    """INSERT INTO registry_modelalias (model_id, name, version_id, set_by_name)
        SELECT m.id, 'champion', v.id, '' FROM registry_registeredmodel m
        JOIN registry_modelversion v ON v.model_id = m.id AND v.number = %(hot)s WHERE m.name = 'hot'""",
    """INSERT INTO registry_access_modelaccountgrant (user_id, content_object_id, permission_id, reason)
        SELECT %(account)s, m.id, p.id, '' FROM registry_registeredmodel m
        JOIN auth_permission p ON p.codename IN ('view', 'register')
        JOIN django_content_type t ON t.id = p.content_type_id AND t.app_label = 'registry' AND t.model = 'registeredmodel'
        WHERE m.name = 'hot'""",
]
MS = "(extract(epoch from {}) * 1000)::bigint"
NOW_MS = MS.format("now()")
THEIRS = [
    f"""INSERT INTO registered_models (name, creation_time, last_updated_time, description)
        SELECT {NAME}, {MS.format(MOMENT)}, {MS.format(MOMENT)}, 'model ' || i FROM generate_series(%(first)s::int, %(last)s::int) i""",
    f"""INSERT INTO model_versions (name, version, creation_time, last_updated_time, current_stage, source, run_id, status)
        SELECT {NAME}, v, {MS.format(MOMENT_OF_VERSION)}, {MS.format(MOMENT_OF_VERSION)}, 'None', 's3://bucket/' || i || '/' || v, md5(i || ':' || v), 'READY'
        FROM generate_series(%(first)s::int, %(last)s::int) i CROSS JOIN generate_series(1, {VERSIONS}) v""",
    f"""INSERT INTO registered_model_tags (name, key, value)
        SELECT {NAME}, pair.key, pair.value FROM generate_series(%(first)s::int, %(last)s::int) i
        CROSS JOIN LATERAL (VALUES ('team', {TEAM}), ('tier', {TIER})) pair(key, value)""",
    f"""INSERT INTO model_version_tags (name, version, key, value)
        SELECT {NAME}, v, 'dataset', 'ds-' || mod(i, 50)
        FROM generate_series(%(first)s::int, %(last)s::int) i CROSS JOIN generate_series(1, {VERSIONS}) v""",
    f"""INSERT INTO registered_model_aliases (name, alias, version)
        SELECT {NAME}, 'champion', {VERSIONS} FROM generate_series(%(first)s::int, %(last)s::int) i""",
]
THEIRS_HOT = [
    f"INSERT INTO registered_models (name, creation_time, last_updated_time) VALUES ('hot', {NOW_MS}, {NOW_MS})",
    f"""INSERT INTO model_versions (name, version, creation_time, last_updated_time, current_stage, source, run_id, status)
        SELECT 'hot', v, {NOW_MS} - %(hot)s::int + v, {NOW_MS} - %(hot)s::int + v, 'None', 's3://bucket/hot/' || v, md5('hot' || v), 'READY'
        FROM generate_series(1, %(hot)s::int) v""",
    "INSERT INTO registered_model_aliases (name, alias, version) VALUES ('hot', 'champion', %(hot)s)",
]


def fill(ours: str, theirs: str, account: str, first: int, last: int) -> None:
    """Add the models of these numbers to both databases; with number 0 comes the hot one."""
    facts = {"first": first, "last": last, "account": account, "next": VERSIONS + 1}
    hot = {"hot": HOT, "account": account, "next": HOT + 1}
    for url, statements, more in ((ours, OURS, OURS_HOT), (theirs, THEIRS, THEIRS_HOT)):
        with psycopg.connect(url, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement, facts)
            for statement in more if first == 0 else []:
                connection.execute(statement, hot)
            connection.execute("VACUUM ANALYZE")
