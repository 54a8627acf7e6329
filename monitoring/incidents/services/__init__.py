"""Changes to alert rules, alerts and incidents."""

from monitoring.incidents.services.evaluating import evaluate_rules
from monitoring.incidents.services.handling import (
    acknowledge,
    comment,
    incident_etag,
    resolve,
    roll_back,
    sign_and_roll_back,
    write_post_mortem,
)
from monitoring.incidents.services.opening import add_entry, open_incident
from monitoring.incidents.services.rules import create_rule, retire_rule, rule_etag, update_rule

__all__ = [
    "acknowledge",
    "add_entry",
    "comment",
    "create_rule",
    "evaluate_rules",
    "incident_etag",
    "open_incident",
    "resolve",
    "retire_rule",
    "roll_back",
    "rule_etag",
    "sign_and_roll_back",
    "update_rule",
    "write_post_mortem",
]
