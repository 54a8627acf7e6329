"""Gates on scanners and signatures: what they see, when they look again, and what the page shows."""

import pytest
import yaml

from approvals import services
from approvals.gates import Evidence, judge
from approvals.models import GateResult
from approvals.safety import Finding, ScanEvidence, SignatureEvidence
from core.actors import Actor
from registry.scans import services as scans
from registry.signing import services as signing
from registry.signing.models import TrustedKey

pytestmark = pytest.mark.django_db
SYSTEM = Actor.system()
BY = ("picklescan", "modelscan")
BAD = Finding("dangerous", "posix.system", "model.pkl")
ODD = Finding("suspicious", "foo.Bar", "model.pkl")


def scan_gate(seen, **more):
    gate = {"id": "g", "type": "scan", "mode": "block", "severity": "dangerous", **more}
    return judge([gate], Evidence(scan=seen))[0]


@pytest.mark.parametrize(
    ("seen", "more", "outcome", "said"),
    [
        (None, {}, "failed", "not scanned"),
        (ScanEvidence("clean", BY), {}, "passed", "nothing dangerous found by picklescan and modelscan"),
        (ScanEvidence("unproven", BY), {}, "passed", "nothing dangerous found"),
        (ScanEvidence("unproven", BY), {"needs_clean": True}, "failed", "its format can run code"),
        (ScanEvidence("clean", BY), {"needs_clean": True}, "passed", "nothing"),
        (ScanEvidence("unproven", BY, [ODD]), {}, "passed", "nothing dangerous"),
        (ScanEvidence("unproven", BY, [ODD]), {"severity": "suspicious"}, "failed", "foo.Bar in model.pkl"),
        (ScanEvidence("dangerous", BY, [BAD, BAD]), {}, "failed", "dangerous: posix.system in model.pkl"),
        (ScanEvidence("dangerous", BY, [BAD]), {"severity": "suspicious"}, "failed", "posix.system"),
        (ScanEvidence("dangerous", BY, [BAD]), {"mode": "warn"}, "warned", "posix.system"),
        (ScanEvidence("failed", ()), {}, "failed", "the scan failed"),
        (ScanEvidence("unscannable", BY), {}, "failed", "not all of it could be scanned"),
    ],
)
def test_scanners_bind_at_the_severity_a_policy_names(seen, more, outcome, said):
    result = scan_gate(seen, **more)
    assert result.outcome == outcome
    assert said in result.observed


@pytest.mark.parametrize(
    ("seen", "keys", "outcome"),
    [
        (None, None, "failed"),
        (SignatureEvidence("untrusted"), None, "failed"),
        (SignatureEvidence("failed"), None, "failed"),
        (SignatureEvidence("verified", "release"), None, "passed"),
        (SignatureEvidence("verified", "release"), ["release"], "passed"),
        (SignatureEvidence("verified", "laptop"), ["release", "spare"], "failed"),
        (SignatureEvidence("verified", "release", is_key_retired=True), ["release"], "failed"),
    ],
)
def test_a_signature_counts_by_a_key_that_is_trusted_now(seen, keys, outcome):
    gate = {"id": "g", "type": "signature", "mode": "block", **({"keys": keys} if keys else {})}
    assert judge([gate], Evidence(signature=seen))[0].outcome == outcome


@pytest.fixture
def guarded(promotion, admin, actor, run_jobs):
    """The request under a policy with both gates; neither has anything to see yet."""
    document = dict(promotion.policy_revision.document)
    document["gates"] = [
        *document["gates"],
        {"id": "scanners", "type": "scan", "severity": "dangerous", "mode": "block"},
        {"id": "signed", "type": "signature", "keys": ["release builds"], "mode": "block"},
    ]
    text = yaml.safe_dump(document)
    services.add_revision(actor=actor(admin), name="production", text=text, reason="Nothing unsafe.")
    run_jobs()
    promotion.refresh_from_db()
    return promotion


def gate_of(promotion, name):
    promotion.refresh_from_db()
    return GateResult.objects.get(promotion=promotion, rev=promotion.rev, gate=name)


def scanned(version, *findings):
    """A scan ended, as the worker ends it."""
    scan = scans.request_scan(actor=SYSTEM, version=version)
    scans.begin(actor=SYSTEM, scan=scan, fence=1)
    report = {
        "scanner": "picklescan",
        "version": "1",
        "findings": [{"severity": each.severity, "what": each.what, "path": each.path} for each in findings],
        "scanned": ["model.pkl"],
        "partly": [],
        "error": "",
    }
    files = [{"path": "model.pkl", "format": "pickle", "is_safe": False}]
    outcome = scans.Outcome(files=files, reports=[report], sandbox="filter")
    return scans.finish(actor=SYSTEM, scan=scan, fence=1, outcome=outcome)


def test_a_request_waits_for_a_scan_and_is_judged_again_when_one_ends(guarded, run_jobs, sign, reviewer):
    from core.errors import Conflict

    assert gate_of(guarded, "scanners").outcome == "failed"
    with pytest.raises(Conflict):
        sign(reviewer, guarded)
    scanned(guarded.version)
    run_jobs()
    assert gate_of(guarded, "scanners").outcome == "passed"
    scanned(guarded.version, BAD)
    run_jobs()
    found = gate_of(guarded, "scanners")
    assert (found.outcome, found.observed) == ("failed", "dangerous: posix.system in model.pkl")


def test_a_scan_of_other_bytes_says_nothing(guarded, run_jobs):
    from registry.scans.models import Scan

    scan = scanned(guarded.version)
    Scan.objects.filter(pk=scan.pk).update(digest="0" * 64)
    run_jobs()
    assert gate_of(guarded, "scanners").observed == "not scanned"


def test_a_signature_by_the_named_key_passes_until_the_key_is_retired(guarded, run_jobs, admin, actor):
    keys = {
        name: TrustedKey.objects.create(name=name, public_key=name, fingerprint=name, reason="x")
        for name in ("laptop", "release builds")
    }
    outcomes = []
    for name in keys:
        signing.note_signature(
            actor=SYSTEM, version=guarded.version, is_verified=True, key=keys[name], finding=""
        )
        run_jobs()
        outcomes.append(gate_of(guarded, "signed").outcome)
    signing.retire_key(actor=actor(admin), key=keys["release builds"], reason="It leaked.")
    run_jobs()
    found = gate_of(guarded, "signed")
    assert [*outcomes, found.outcome] == ["failed", "passed", "failed"]
    assert found.observed == "by release builds, which is retired"


def test_the_review_page_links_what_was_found(guarded, reviewer, client_for, run_jobs):
    scanned(guarded.version, BAD)
    run_jobs()
    page = client_for(reviewer).get(f"/approvals/{guarded.pk}/").content.decode()
    assert "posix.system in model.pkl" in page
    place = f"/models/{guarded.version.model.name}/versions/{guarded.version.number}/"
    version = client_for(reviewer).get(place).content.decode()
    for anchor in ("scans", "signature"):
        assert f'href="{place}#{anchor}"' in page
        assert f'id="{anchor}"' in version
