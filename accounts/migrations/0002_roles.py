"""The six roles exist from the start, so that grants and quorums can name them."""

from django.db import migrations

ROLES = ["data-scientist", "reviewer", "validator", "operator", "auditor", "admin"]


def create(apps, schema_editor):
    group = apps.get_model("auth", "Group")
    for name in ROLES:
        group.objects.get_or_create(name=name)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_people_accounts_and_tokens"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]
    operations = [migrations.RunPython(create, migrations.RunPython.noop)]
