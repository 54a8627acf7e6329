"""Roles: groups with rights that hold everywhere."""

ROLES: dict[str, frozenset[str]] = {
    "data-scientist": frozenset({"create", "predict"}),
    "reviewer": frozenset({"view", "view_predictions", "approve"}),
    "validator": frozenset({"view", "view_predictions", "approve"}),
    "operator": frozenset({"view", "view_predictions", "deploy", "roll_back", "predict"}),
    "auditor": frozenset({"view", "audit", "export"}),
    "admin": frozenset({"view", "audit", "administer", "export"}),
}
# What the ledger calls the installation itself: no account and no group is named so.
INSTALLATION = ("system", "anonymous", "commandline", "controlplane")
# What people type for a role in commands: the demo account's name is fine too.
SYNONYMS = {"scientist": "data-scientist"}
PHRASES = {
    "data-scientist": "Data scientist",
    "reviewer": "Reviewer",
    "validator": "Validator",
    "operator": "Operator",
    "auditor": "Auditor",
    "admin": "Admin",
}


def rights_of(roles: frozenset[str]) -> frozenset[str]:
    """Every right that at least one of the roles gives."""
    return frozenset().union(*(ROLES.get(role, frozenset()) for role in roles))
