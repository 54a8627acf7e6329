"""The two policies every installation starts with; admins revise them like any other."""

from pathlib import Path

from django.db import migrations

from approvals.policy import parse

SHIPPED = Path(__file__).resolve().parent.parent / "shipped"


def add(apps, schema_editor):
    environments = apps.get_model("deployments", "Environment")
    policies, revisions = apps.get_model("approvals", "Policy"), apps.get_model("approvals", "PolicyRevision")
    for path in sorted(SHIPPED.glob("*.yaml")):
        text = path.read_text()
        rules = parse(text)
        environment = environments.objects.filter(name=rules.environment).first()
        if environment is None:
            continue
        policy, _ = policies.objects.get_or_create(name=path.stem, defaults={"environment": environment})
        revisions.objects.get_or_create(
            policy=policy,
            number=1,
            defaults={
                "text": text,
                "document": rules.document,
                "sha256": rules.sha256,
                "reason": "Shipped with the product.",
                "created_by_name": "Controlplane",
            },
        )


class Migration(migrations.Migration):
    dependencies = [("approvals", "0001_policies_requests_and_decisions")]
    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
