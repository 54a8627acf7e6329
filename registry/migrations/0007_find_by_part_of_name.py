"""Names are found by any part of them, and the planner knows which tags many models have.

Where the extension is missing or may not be created, such searches read all names, as before.
"""

from django.db import migrations

PARTS = """
DO $$ BEGIN
    CREATE EXTENSION IF NOT EXISTS pg_trgm;
EXCEPTION WHEN insufficient_privilege OR undefined_file OR feature_not_supported THEN
    RAISE NOTICE 'pg_trgm cannot be created here: searches by a part of a name will read all names';
END $$;
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_trgm') THEN
        CREATE INDEX model_by_part_of_name ON registry_registeredmodel
            USING gin (name gin_trgm_ops) WHERE deleted_at IS NULL;
        CREATE INDEX model_by_part_of_name_in_any_case ON registry_registeredmodel
            USING gin (upper(name::text) gin_trgm_ops) WHERE deleted_at IS NULL;
    END IF;
END $$;
"""
WITHOUT_PARTS = """
DROP INDEX IF EXISTS model_by_part_of_name;
DROP INDEX IF EXISTS model_by_part_of_name_in_any_case;
"""
PAIRS = """
CREATE STATISTICS model_tag_pairs (mcv) ON key, value FROM registry_modeltag;
CREATE STATISTICS version_tag_pairs (mcv) ON key, value FROM registry_versiontag;
"""
WITHOUT_PAIRS = "DROP STATISTICS model_tag_pairs, version_tag_pairs;"


class Migration(migrations.Migration):
    dependencies = [("registry", "0006_searches_walk_an_index")]

    operations = [
        migrations.RunSQL(PARTS, WITHOUT_PARTS),
        migrations.RunSQL(PAIRS, WITHOUT_PAIRS),
    ]
