"""Storage, holds, deleted versions and signatures in a real browser, in both themes and widths."""

import pytest

from registry import services
from registry.signing import services as signing
from registry.storage import services as storage
from tests.registry.conftest import make_model, make_version, tracking  # noqa: F401 - fixtures
from tests.registry.test_signing import FILES, Signer

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def kept(make_model, make_version, scientist, auditor, admin, actor, tmp_path):
    """A model near its quota: a signed and held version, an unsigned one, and a deleted one."""
    (tmp_path / "signer").mkdir()
    signer = Signer(tmp_path / "signer")
    old = signing.trust_key(
        actor=actor(admin), name="laptop", public_key=Signer(tmp_path).public, reason="First trials."
    )
    signing.retire_key(actor=actor(admin), key=old, reason="Builds sign on the build server now.")
    key = {"name": "release builds", "public_key": signer.public, "reason": "The build server's key."}
    signing.trust_key(actor=actor(admin), **key)
    model = make_model("flight-delay")
    signed = make_version(model, files=signer.signed(FILES))
    make_version(model)
    third = make_version(model, files={**signer.signed(FILES), "model.skops": b"other"})
    storage.place_hold(actor=actor(auditor), version=signed, reason="Inquiry 12 of 2026.")
    deleted = make_version(model)
    services.set_alias(actor=actor(scientist), model=model, alias="challenger", version=deleted)
    services.delete_version(actor=actor(scientist), version=deleted, reason="Trained on the wrong month.")
    used = sum(each.size for each in model.versions.existing())
    storage.set_quota(actor=actor(scientist), model=model, bytes=used + 40, reason="Small on purpose.")
    assert third.number == 3
    return model


def test_pages_about_storage_and_signatures_are_sound(visit, kept):
    visitor = visit().sign_in("admin")
    versions = [f"/models/flight-delay/versions/{number}/" for number in (1, 2, 3, 4)]
    for path in ("/models/flight-delay/", *versions, "/deleted-versions/", "/admin/signing-keys/"):
        page = visitor.open(path)
        page.evaluate("document.querySelectorAll('main details').forEach(one => { one.open = true })")
        visitor.check_looks()


def test_an_admin_holds_a_version_and_trusts_a_key(visit, kept, tmp_path):
    visitor = visit().sign_in("admin")
    page = visitor.open("/models/flight-delay/versions/2/")
    page.click("text=Place a hold")
    page.fill("#hold-why", "Inquiry 13 of 2026.")
    page.click("button:has-text('Place the hold')")
    assert "Inquiry 13 of 2026." in page.locator(".rail").inner_text()
    page = visitor.open("/admin/signing-keys/")
    page.fill("#id_name", "second server")
    page.fill("#id_public_key", "no key")
    page.fill("#id_reason", "It builds too.")
    page.click("text=Trust this key")
    assert "P-256" in page.locator(".error").inner_text()
    (tmp_path / "second").mkdir()
    page.fill("#id_public_key", Signer(tmp_path / "second").public)
    page.click("text=Trust this key")
    assert page.locator("h1").inner_text() == "2 keys may sign models"
