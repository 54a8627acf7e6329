"""Which events can be subscribed to: MLflow's own, under MLflow's names, and those of the product.

MLflow's have the payload its documentation promises. Ours are named as in the audit trail and
carry what the trail says: object, before, after, reason.
"""

from __future__ import annotations

# What clients of MLflow may subscribe to: entity and the actions it knows.
MLFLOW_EVENTS: tuple[str, ...] = (
    "registered_model.created",
    "model_version.created",
    "model_version_tag.set",
    "model_version_tag.deleted",
    "model_version_alias.created",
    "model_version_alias.deleted",
    "prompt.created",
    "prompt_version.created",
    "prompt_tag.set",
    "prompt_tag.deleted",
    "prompt_version_tag.set",
    "prompt_version_tag.deleted",
    "prompt_alias.created",
    "prompt_alias.deleted",
)

OUR_EVENTS: dict[str, str] = {
    "registry.version_ready": "A version's files are hashed",
    "registry.version_failed": "A version could not be registered",
    "registry.stage_changed": "A version changed its stage",
    "registry.version_deleted": "A version was deleted",
    "registry.model_renamed": "A model was renamed",
    "registry.model_deleted": "A model was deleted",
    "registry.right_granted": "A right on a model was granted",
    "registry.right_revoked": "A right on a model was revoked",
    "registry.evaluation_succeeded": "An evaluation ended with a result",
    "registry.evaluation_failed": "An evaluation failed",
    "approvals.requested": "A promotion was requested",
    "approvals.approved": "Somebody approved a promotion",
    "approvals.rejected": "A promotion was rejected",
    "approvals.withdrawn": "A promotion was withdrawn",
    "approvals.expired": "A promotion request expired",
    "approvals.approvals_voided": "Approvals of a promotion became void",
    "approvals.executed": "An approved promotion started",
    "deployments.requested": "A deployment was asked for",
    "deployments.went_live": "A deployment went live",
    "deployments.failed": "A deployment failed",
    "deployments.aborted": "A deployment was aborted",
    "deployments.rolled_back": "A deployment was rolled back",
    "monitoring.alert_fired": "An alert fired",
    "monitoring.alert_cleared": "An alert cleared",
    "monitoring.incident_opened": "An incident was opened",
    "monitoring.incident_acknowledged": "Somebody took an incident",
    "monitoring.incident_resolved": "An incident was resolved",
    "pipelines.version_ready": "A data set version is ready",
    "pipelines.version_failed": "A data set version failed",
    "pipelines.contract_checked": "A data contract was checked",
    "pipelines.run_succeeded": "A pipeline run succeeded",
}

# The audit action that each of MLflow's events comes from, for models and for prompts.
FROM_ACTION: dict[str, tuple[str, str]] = {
    "registry.model_created": ("registered_model.created", "prompt.created"),
    "registry.version_created": ("model_version.created", "prompt_version.created"),
    "registry.version_tag_set": ("model_version_tag.set", "prompt_version_tag.set"),
    "registry.version_tag_deleted": ("model_version_tag.deleted", "prompt_version_tag.deleted"),
    "registry.model_tag_set": ("", "prompt_tag.set"),
    "registry.model_tag_deleted": ("", "prompt_tag.deleted"),
    "registry.alias_set": ("model_version_alias.created", "prompt_alias.created"),
    "registry.alias_deleted": ("model_version_alias.deleted", "prompt_alias.deleted"),
}

EVERY_EVENT: tuple[str, ...] = (*MLFLOW_EVENTS, *OUR_EVENTS)


def words_of(event: str) -> str:
    """The event for people."""
    if event in OUR_EVENTS:
        return OUR_EVENTS[event]
    entity, _, action = event.partition(".")
    return f"MLflow: {entity.replace('_', ' ')} {action}"


def example_of(event: str) -> dict[str, object]:
    """What a test delivery carries as data."""
    if event in OUR_EVENTS:
        return {"object": {"type": "example", "id": "0", "name": "example"}, "after": {"example": True}}
    known: dict[str, object] = {
        "name": "example",
        "version": "1",
        "key": "team",
        "value": "operations",
        "alias": "challenger",
        "source": "models:/m-example",
        "run_id": "0" * 32,
        "tags": {"team": "operations"},
        "description": "A delivery that tests the address.",
        "template": "Say {{what}}.",
    }
    return {name: known[name] for name in FIELDS[event]}


_CREATED = ("name", "tags", "description")
FIELDS: dict[str, tuple[str, ...]] = {
    "registered_model.created": _CREATED,
    "model_version.created": ("name", "version", "source", "run_id", "tags", "description"),
    "model_version_tag.set": ("name", "version", "key", "value"),
    "model_version_tag.deleted": ("name", "version", "key"),
    "model_version_alias.created": ("name", "alias", "version"),
    "model_version_alias.deleted": ("name", "alias"),
    "prompt.created": _CREATED,
    "prompt_version.created": ("name", "version", "template", "tags", "description"),
    "prompt_tag.set": ("name", "key", "value"),
    "prompt_tag.deleted": ("name", "key"),
    "prompt_version_tag.set": ("name", "version", "key", "value"),
    "prompt_version_tag.deleted": ("name", "version", "key"),
    "prompt_alias.created": ("name", "alias", "version"),
    "prompt_alias.deleted": ("name", "alias"),
}
