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
    values = {"digest": DIGEST, "environment": "production", "quorum": QUORUM, "requester": "scientist",
              "contributors": ["scientist", "helper"]}  # fmt: skip
    return body("approvals.requested", **(values | more))


def judged(evidence="e1"):
    return body("approvals.gates_judged", person=None, via="system", evidence_sha256=evidence)


def approved(person, *roles, **more):
    via = more.pop("via", "session")
    values = {"digest": DIGEST, "evidence_sha256": "e1", "roles": roles, "requester": "scientist",
              "contributors": ["scientist", "helper"]}  # fmt: skip
    return body("approvals.approved", person=person, via=via, **(values | more))


def cleared(**more):
    values = {
        "kind": "approval", "reference": "r1", "digest": DIGEST, "environment": "production", "model": "m",
        "evidence_sha256": "e1",
    }  # fmt: skip
    return body("deployments.clearance_granted", "c1", **(values | more))


def deployed(digest=DIGEST, clearance="c1"):
    return body("deployments.requested", "d1", digest=digest, clearance=clearance)


def live(digest=DIGEST):
    return body("deployments.went_live", "d1", digest=digest)


ASKED = [requested(), judged()]
RIGHT = [*ASKED, approved("anna", "reviewer"), approved("ben", "validator"), cleared(), deployed(), live()]


def findings(events, is_complete=True):
    verdict = verify_ledger.Verdict()
    meaning = verify_ledger.Meaning(verdict, is_complete)
    for seq, event in enumerate(events):
        meaning.read(json.loads(json.dumps(event)), seq)
    return [each["finding"] for each in verdict.findings]


def test_the_right_story_is_believed():
    assert findings(RIGHT) == []


ANNA, BEN, REST = RIGHT[2], RIGHT[3], RIGHT[4:]
WRONG = {
    "one approval short": [*ASKED, ANNA, *REST],
    "one person in two roles": [*ASKED, approved("anna", "reviewer", "validator"), *REST],
    "both have the same role": [*ASKED, ANNA, approved("ben", "reviewer"), *REST],
    "one person twice": [*ASKED, ANNA, approved("anna", "validator"), *REST],
    "the requester approved": [*ASKED, approved("scientist", "reviewer"), BEN, *REST],
    "the requester approved and hid it": [
        *ASKED, approved("scientist", "reviewer", requester="x", contributors=[]), BEN, *REST,
    ],
    "a contributor approved": [*ASKED, approved("helper", "reviewer"), BEN, *REST],
    "an editor approved": [*ASKED, body("approvals.revised", person="anna"), ANNA, BEN, *REST],
    "a token approved": [*ASKED, approved("anna", "reviewer", via="token"), BEN, *REST],
    "other bytes were approved": [*ASKED, approved("anna", "reviewer", digest=OTHER), BEN, *REST],
    "other evidence was approved": [*ASKED, approved("anna", "reviewer", evidence_sha256="e0"), BEN, *REST],
    "the evidence changed afterwards": [*ASKED, ANNA, BEN, judged("e2"), cleared(evidence_sha256="e2"), *REST[1:]],
    "the policy became stricter": [
        *ASKED, ANNA, BEN, body("approvals.policy_applied", quorum=[{"role": "validator", "count": 2}]), *REST,
    ],
    "approvals were voided": [*ASKED, ANNA, BEN, body("approvals.approvals_voided", people=["anna"]), *REST],
    "other bytes were cleared": [*ASKED, ANNA, BEN, cleared(digest=OTHER), deployed(OTHER), live(OTHER)],
    "other bytes were deployed": [*ASKED, ANNA, BEN, cleared(), deployed(OTHER), live(OTHER)],
    "other bytes went live": [*ASKED, ANNA, BEN, cleared(), deployed(), live(OTHER)],
    "another environment was cleared": [*ASKED, ANNA, BEN, cleared(environment="elsewhere"), *REST[1:]],
    "nobody asked": [cleared(), deployed(), live()],
    "no clearance": [deployed(clearance="none"), live()],
    "it simply went live": [live()],
    "production was called free": [cleared(kind="unprotected", is_protected=True)],
    "production was called free though it has a policy": [
        body("approvals.policy_revised", environment="production", quorum=QUORUM), cleared(kind="unprotected"),
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
    assert findings([*ASKED, ANNA, *REST], is_complete=False)
