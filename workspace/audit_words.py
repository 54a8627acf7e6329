"""Events as sentences: ``approvals.approved`` is "reviewer approved flight-delay v3".

Each action has a phrase that starts with its verb; ``{}`` is the object's name.
"""

from __future__ import annotations

import re
from typing import Any

from django.utils.text import Truncator

from workspace import refusal_words
from workspace.refusal_words import EVENT_OF

LONGEST_NAME = 60
NAMED = re.compile(r"the ([a-z ]+) \{\}$")
PHRASES = {
    "accounts.activated": "let {} sign in again",
    "accounts.created": "create the account {}",
    "accounts.deactivated": "shut out {}",
    "accounts.group_created": "make the group {}",
    "accounts.group_deleted": "delete the group {}",
    "accounts.group_renamed": "rename the group {}",
    "accounts.member_added": "add somebody to the group {}",
    "accounts.member_removed": "take somebody out of the group {}",
    "accounts.password_changed": "change the password of {}",
    "accounts.preferences_changed": "change the preferences of {}",
    "accounts.role_given": "give a role to {}",
    "accounts.role_taken": "take a role from {}",
    "accounts.scope_refused": "use a token beyond its scope on {}",
    "accounts.sign_in_refused": "sign in",
    "accounts.signed_in": "sign in",
    "accounts.token_issued": "create the token {}",
    "accounts.token_revoked": "revoke the token {}",
    "accounts.refused_read": "look at something they may not look at",
    "accounts.refused_write": "change something they may not change",
    "accounts.unseen_write": "change something that is not theirs to see",
    "approvals.approvals_voided": "void the approvals of {}",
    "approvals.approved": "approve {}",
    "approvals.deployed": "finish the release of {}",
    "approvals.evaluation_requested": "ask for a new evaluation of {}",
    "approvals.executed": "carry out {}",
    "approvals.expired": "let {} expire",
    "approvals.failed": "fail to carry out {}",
    "approvals.gates_judged": "judge the gates of {}",
    "approvals.policy_applied": "apply the newest policy to {}",
    "approvals.policy_revised": "revise the policy {}",
    "approvals.quorum_met": "count the last approval of {}",
    "approvals.rejected": "reject {}",
    "approvals.requested": "ask for {}",
    "approvals.retried": "retry {}",
    "approvals.revised": "revise {}",
    "approvals.rolled_back": "take back the release of {}",
    "approvals.sent_back": "request changes to {}",
    "approvals.started": "start the release of {}",
    "approvals.superseded": "replace the release of {}",
    "approvals.withdrawn": "withdraw {}",
    "audit.export_downloaded": "download the export {}",
    "audit.export_failed": "fail to make the export {}",
    "audit.export_key_created": "create the key that signs exports",
    "audit.export_requested": "ask for the export {}",
    "audit.exported": "export {}",
    "audit.verification_failed": "find the audit trail altered",
    "audit.verification_requested": "ask for a verification of the audit trail",
    "deployments.aborted": "abort {}",
    "deployments.clearance_granted": "clear {}",
    "deployments.clearance_revoked": "revoke the clearance of {}",
    "deployments.continued": "continue {}",
    "deployments.endpoint_created": "create the endpoint {}",
    "deployments.endpoint_updated": "change the endpoint {}",
    "deployments.failed": "fail to deploy {}",
    "deployments.paused": "pause {}",
    "deployments.predict": "ask {} for predictions",
    "deployments.predictions_read": "read the predictions of {}",
    "deployments.requested": "ask for {}",
    "deployments.retired": "retire {}",
    "deployments.rolled_back": "roll back {}",
    "deployments.rolling_out": "roll out {}",
    "deployments.scorer_failed": "lose the process that serves {}",
    "deployments.scorer_ready": "make {} ready to answer",
    "deployments.scorer_started": "start the process that serves {}",
    "deployments.scorer_stopped": "stop the process that serves {}",
    "deployments.segment_sealed": "seal a part of the prediction log {}",
    "deployments.starting": "start {}",
    "deployments.step_taken": "move traffic to {}",
    "deployments.taken_back": "take back {}",
    "deployments.went_live": "make {} live",
    "monitoring.alert_cleared": "clear the alert {}",
    "monitoring.alert_fired": "raise the alert {}",
    "monitoring.incident_acknowledged": "acknowledge {}",
    "monitoring.incident_commented": "comment on {}",
    "monitoring.incident_opened": "open {}",
    "monitoring.incident_resolved": "resolve {}",
    "monitoring.labels_received": "receive labels for {}",
    "monitoring.post_mortem_written": "write the post-mortem of {}",
    "monitoring.price_retired": "retire the price {}",
    "monitoring.price_set": "set the price {}",
    "monitoring.rolled_back_from_incident": "roll back from {}",
    "monitoring.rule_changed": "change the alert rule {}",
    "monitoring.rule_created": "create the alert rule {}",
    "monitoring.rule_retired": "retire the alert rule {}",
    "pipelines.check_requested": "ask for a check of {}",
    "pipelines.comparison_failed": "fail to compare {}",
    "pipelines.contract_checked": "check {} against its contract",
    "pipelines.contract_set": "set the contract {}",
    "pipelines.dataset_created": "create the data set {}",
    "pipelines.dataset_late": "find {} late",
    "pipelines.dataset_on_time": "find {} on time again",
    "pipelines.dataset_updated": "change the data set {}",
    "pipelines.difference_requested": "ask for a comparison of {}",
    "pipelines.query_failed": "fail to read {} from its source",
    "pipelines.query_read": "read {} from its source",
    "pipelines.query_requested": "ask to read {} from its source",
    "pipelines.require_creating": "create a data set",
    "pipelines.reference_added": "register {} where it lies",
    "pipelines.right_granted": "grant a right on {}",
    "pipelines.right_revoked": "revoke a right on {}",
    "pipelines.run_cancel_requested": "ask to stop {}",
    "pipelines.run_cancelled": "stop {}",
    "pipelines.run_failed": "fail {}",
    "pipelines.run_started": "start {}",
    "pipelines.run_succeeded": "finish {}",
    "pipelines.source_added": "add the source {}",
    "pipelines.source_granted": "let somebody read from {}",
    "pipelines.source_removed": "remove the source {}",
    "pipelines.source_revoked": "take the right to read from {}",
    "pipelines.version_downloaded": "download {}",
    "pipelines.version_failed": "fail to read {}",
    "pipelines.version_quarantined": "quarantine {}",
    "pipelines.version_ready": "make {} ready",
    "pipelines.version_registered": "register {}",
    "pipelines.version_released": "release {} from quarantine",
    "pipelines.versions_compared": "compare {}",
    "registry.alias_deleted": "delete an alias of {}",
    "registry.alias_protected": "protect an alias of {}",
    "registry.alias_set": "set an alias of {}",
    "registry.alias_unprotected": "unprotect an alias of {}",
    "registry.card_revised": "revise the card of {}",
    "registry.evaluation_failed": "fail to evaluate {}",
    "registry.evaluation_requested": "ask for {}",
    "registry.evaluation_succeeded": "finish {}",
    "registry.file_downloaded": "download a file of {}",
    "registry.hold_placed": "place a hold on {}",
    "registry.hold_released": "release the hold on {}",
    "registry.integrity_broken": "find changed files in {}",
    "registry.integrity_restored": "find the files of {} whole again",
    "registry.key_retired": "retire the signing key {}",
    "registry.key_trusted": "trust the signing key {}",
    "registry.files_changed": "change files of {}",
    "registry.model_created": "create the model {}",
    "registry.model_deleted": "delete the model {}",
    "registry.model_imported": "import the model {}",
    "registry.model_renamed": "rename the model {}",
    "registry.model_tag_deleted": "delete a tag of {}",
    "registry.model_tag_set": "set a tag of {}",
    "registry.model_updated": "change the model {}",
    "registry.note_run_download": "download a file of the run {}",
    "registry.quota_set": "set the quota of {}",
    "registry.require_administering": "rename or delete the model {}",
    "registry.require_describing": "change aliases, tags or versions of {}",
    "registry.right_granted": "grant a right on {}",
    "registry.right_revoked": "revoke a right on {}",
    "registry.register_logged": "register what a run logged in {}",
    "registry.run_file_downloaded": "download a file of the run {}",
    "registry.scan_failed": "fail to scan {}",
    "registry.scan_requested": "ask for a scan of {}",
    "registry.scanned": "scan {}",
    "registry.run_settled": "read the ended run of {}",
    "registry.signature_check_requested": "ask for a check of the signature of {}",
    "registry.signature_checked": "check the signature of {}",
    "registry.stage_changed": "change the stage of {}",
    "registry.tag_deleted": "delete a tag of {}",
    "registry.tag_set": "set a tag of {}",
    "registry.upload_begun": "begin an upload to {}",
    "registry.upload_given_up": "give up an upload to {}",
    "registry.verification_requested": "ask to have {} hashed again",
    "registry.version_created": "register {}",
    "registry.version_deleted": "delete {}",
    "registry.version_failed": "fail to register {}",
    "registry.version_ready": "finish the registration of {}",
    "registry.version_retried": "retry the registration of {}",
    "registry.version_tag_deleted": "delete a tag of {}",
    "registry.version_tag_set": "set a tag of {}",
    "registry.version_updated": "describe {}",
    "tracking.refused": "call a part of MLflow that is not served: {}",
    "workspace.job_cancelled": "ask to stop {}",
    "workspace.secrets_resealed": "seal the kept secrets with a new key",
    "workspace.view_deleted": "delete the view {}",
    "workspace.view_restored": "restore the view {}",
    "workspace.view_saved": "save the view {}",
    "workspace.webhook_created": "create the webhook {}",
    "workspace.webhook_deleted": "delete the webhook {}",
    "workspace.webhook_disabled": "disable the webhook {}",
    "workspace.webhook_replayed": "send a delivery of {} again",
    "workspace.webhook_signing_changed": "change how {} is signed",
    "workspace.webhook_tested": "test the webhook {}",
    "workspace.webhook_updated": "change the webhook {}",
}
IRREGULAR = {
    "begin": "began", "find": "found", "give": "gave", "let": "let", "lose": "lost", "make": "made", "read": "read",
    "set": "set", "shut": "shut", "take": "took", "withdraw": "withdrew", "write": "wrote", "send": "sent",
}  # fmt: skip
DOUBLED = {"stop", "scan"}
# What was done to its end and found something wrong.
FINDINGS = {"pipelines.contract_checked": "checked {} against its contract, which it breaks"}
# These say by themselves that something went wrong.
SETBACKS = ("fail ", "lose ", "find ")


def sentence(content: dict[str, Any]) -> str:
    """Who did what; a refusal says so in its first words."""
    who = (content.get("actor") or {}).get("name") or "system"
    who = "The system" if who == "system" else who
    phrase = phrase_of(content["action"])
    if phrase is None:
        return f"{who}: {content['action'].split('.')[-1].replace('_', ' ')}"
    target = content.get("object") or {}
    if not target:  # "the model {}" was never made
        phrase = NAMED.sub(lambda match: f"{'an' if match[1][0] in 'aeiou' else 'a'} {match[1]}", phrase)
    name = Truncator(target.get("name") or target.get("id") or "something").chars(LONGEST_NAME)
    words = phrase.format(name)
    outcome = content.get("outcome")
    if outcome == "denied":
        return f"{who} was not allowed to {words}"
    if outcome == "failed" and content["action"] in FINDINGS:
        return f"{who} {FINDINGS[content['action']].format(name)}"
    if outcome == "failed" and not words.startswith(SETBACKS):
        return f"{who} could not {words}"
    return f"{who} {past(words)}"


def phrase_of(action: str) -> str | None:
    """The phrase of an event, or of the command that was refused instead of it."""
    return PHRASES.get(action) or refusal_words.PHRASES.get(action) or PHRASES.get(EVENT_OF.get(action, ""))


def past(words: str) -> str:
    """``approve x`` as ``approved x``."""
    verb, space, rest = words.partition(" ")
    return f"{_past(verb)}{space}{rest}"


def _past(verb: str) -> str:
    if verb in IRREGULAR:
        return IRREGULAR[verb]
    if verb in DOUBLED:
        return f"{verb}{verb[-1]}ed"
    if verb.endswith("e"):
        return f"{verb}d"
    if verb.endswith("y") and verb[-2] not in "aeiou":
        return f"{verb[:-1]}ied"
    return f"{verb}ed"
