"""The verifier also knows what events mean: it finds a story that should never have happened."""

import json

import pytest

from tools import verify_ledger

DIGEST, OTHER = "a" * 64, "b" * 64
QUORUM = [{"role": "reviewer", "count": 1}, {"role": "validator", "count": 1}]


def body(action, object_id="r1", person="p0", via="session", **after):
    return {
        "action": action,
        "outcome": "ok",
        "actor": {"person_id": person, "via": via},
        "object": {"type": "x", "id": object_id},
        "after": after,
    }


def requested(**more):
    values = {"digest": DIGEST, "environment": "production", "quorum": QUORUM, "revision_sha256": "rev1",
              "requester": "scientist", "contributors": ["helper"]}  # fmt: skip
    return body("approvals.requested", **(values | more))


def approved(person, role, **more):
    via = more.pop("via", "session")
    return body("approvals.approved", person=person, via=via, **({"digest": DIGEST, "revision_sha256": "rev1", "role": role} | more))


def cleared(**more):
    values = {"kind": "approval", "reference": "r1", "digest": DIGEST, "environment": "production", "model": "m"}
    return body("deployments.clearance_granted", "c1", **(values | more))


def deployed(digest=DIGEST, clearance="c1"):
    return body("deployments.requested", "d1", digest=digest, clearance=clearance)


def live(digest=DIGEST):
    return body("deployments.went_live", "d1", digest=digest)


RIGHT = [requested(), approved("anna", "reviewer"), approved("ben", "validator"), cleared(), deployed(), live()]


def findings(events, is_complete=True):
    verdict = verify_ledger.Verdict()
    meaning = verify_ledger.Meaning(verdict, is_complete)
    for seq, event in enumerate(events):
        meaning.read(json.loads(json.dumps(event)), seq)
    return [each["finding"] for each in verdict.findings]


def test_the_right_story_is_believed():
    assert findings(RIGHT) == []


WRONG = {
    "one approval short": [RIGHT[0], RIGHT[1], *RIGHT[3:]],
    "one person in two roles": [RIGHT[0], approved("anna", "reviewer,validator"), *RIGHT[3:]],
    "both have the same role": [RIGHT[0], RIGHT[1], approved("ben", "reviewer"), *RIGHT[3:]],
    "the requester approved": [RIGHT[0], approved("scientist", "reviewer"), *RIGHT[2:]],
    "a contributor approved": [RIGHT[0], approved("helper", "reviewer"), *RIGHT[2:]],
    "a token approved": [RIGHT[0], approved("anna", "reviewer", via="token"), *RIGHT[2:]],
    "other bytes were approved": [RIGHT[0], approved("anna", "reviewer", digest=OTHER), *RIGHT[2:]],
    "an old revision was approved": [RIGHT[0], approved("anna", "reviewer", revision_sha256="rev0"), *RIGHT[2:]],
    "approvals were voided": [*RIGHT[:3], body("approvals.approvals_voided", people=["anna"]), *RIGHT[3:]],
    "other bytes were cleared": [*RIGHT[:3], cleared(digest=OTHER), deployed(OTHER), live(OTHER)],
    "other bytes were deployed": [*RIGHT[:4], deployed(OTHER), live(OTHER)],
    "other bytes went live": [*RIGHT[:5], live(OTHER)],
    "another environment was cleared": [*RIGHT[:3], cleared(environment="elsewhere"), *RIGHT[4:]],
    "nobody asked": [cleared(), deployed(), live()],
    "no clearance": [deployed(clearance="none"), live()],
    "it simply went live": [live()],
    "production was called free": [cleared(kind="unprotected", is_protected=True)],
    "production was called free though it has a policy": [
        body("approvals.policy_published", environment="production", quorum=QUORUM), cleared(kind="unprotected"),
    ],
    "a rollback to what was never live": [cleared(kind="rollback", reference="d0")],
    "an event that says too little": [body("approvals.requested")],
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_story_that_breaks_a_rule_is_found(name):
    assert findings(WRONG[name])


def test_a_rollback_to_what_was_live_is_believed():
    back = [cleared(kind="rollback", reference="d1")]
    assert findings([*RIGHT, *back]) == []


def test_a_selection_is_not_blamed_for_what_it_leaves_out():
    assert findings([cleared(), deployed(), live()], is_complete=False) == []
    assert findings([RIGHT[0], RIGHT[1], *RIGHT[3:]], is_complete=False)
