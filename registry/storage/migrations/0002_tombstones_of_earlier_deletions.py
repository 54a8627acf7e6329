"""Versions deleted before tombstones were kept: when is known, who and why is in the ledger alone."""

from django.db import migrations

BURY = """
INSERT INTO registry_storage_tombstone
    (id, version_id, model_name, number, digest, size, aliases, reason, deleted_by_name, deleted_at)
SELECT v.id, v.id, m.name, v.number, v.digest, v.size, '[]', '', '', v.deleted_at
FROM registry_modelversion v JOIN registry_registeredmodel m ON m.id = v.model_id
WHERE v.deleted_at IS NOT NULL
"""


class Migration(migrations.Migration):
    dependencies = [("registry_storage", "0001_quotas_holds_and_tombstones")]

    operations = [migrations.RunSQL(BURY, migrations.RunSQL.noop)]
