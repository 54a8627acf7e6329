"""OpenSSF model signatures: made by the library's own signer, checked at registration, shown."""

import base64
import hashlib
import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from core.errors import Conflict, Invalid, NotAllowed
from registry.signing import services
from registry.signing.models import TrustedKey, VersionSignature
from tests.registry.test_registering_models import events

pytestmark = pytest.mark.django_db
FILES = {
    "MLmodel": "flavors:\n  python_function: {loader_module: mlflow.sklearn}\n",
    "model.skops": b"weights",
    "data/more.bin": b"more",
}


class Signer:
    """A key pair, and models signed with it."""

    def __init__(self, folder, curve=None):
        self.folder = folder
        key = ec.generate_private_key(curve or ec.SECP256R1())
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (folder / "private.pem").write_bytes(pem)
        self.private = pem.decode()
        self.public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    def signed(self, files, ignored=(), serialization=None):
        """These files and the signature over them."""
        from model_signing import hashing, signing

        model = self.folder / f"model-{len(list(self.folder.iterdir()))}"
        for name, content in files.items():
            (model / name).parent.mkdir(parents=True, exist_ok=True)
            (model / name).write_bytes(content.encode() if isinstance(content, str) else content)
        paths = [model / "model.sig", *(model / each for each in ignored)]
        hashed = hashing.Config().set_ignored_paths(paths=paths, ignore_git_paths=False)
        if serialization == "shards":
            hashed.use_shard_serialization(shard_size=4)
        config = signing.Config().use_elliptic_key_signer(private_key=self.folder / "private.pem")
        config.set_hashing_config(hashed).sign(model, model / "model.sig")
        return {**files, "model.sig": (model / "model.sig").read_bytes()}


@pytest.fixture
def signer(tmp_path):
    (tmp_path / "signer").mkdir()
    return Signer(tmp_path / "signer")


@pytest.fixture
def trusted(signer, admin, actor):
    return services.trust_key(
        actor=actor(admin), name="release builds", public_key=signer.public, reason="Our build server."
    )


def found(version):
    return VersionSignature.objects.select_related("key").get(version=version)


def test_a_signature_of_a_trusted_key_is_verified_at_registration(
    make_model, make_version, signer, trusted, scientist, stranger, client_for
):
    version = make_version(make_model(), files=signer.signed(FILES))
    assert (found(version).outcome, found(version).key, found(version).finding) == ("verified", trusted, "")
    [event] = events("registry.signature_checked")
    assert (event["outcome"], event["after"]["key"]) == ("ok", "release builds")
    shown = client_for(scientist).get("/api/v1/models/delays/versions/1/signature").json()
    assert (shown["outcome"], shown["key"], shown["fingerprint"]) == (
        "verified",
        "release builds",
        trusted.fingerprint,
    )
    page = client_for(scientist).get("/models/delays/versions/1/").content.decode()
    assert "Verified" in page
    assert "release builds" in page
    assert client_for(stranger).get("/api/v1/models/delays/versions/1/signature").status_code == 404


def test_without_a_signature_a_version_is_unsigned(make_model, make_version, scientist, actor, client_for):
    version = make_version(make_model())
    answer = client_for(scientist).get("/api/v1/models/delays/versions/1/signature").json()
    assert answer["outcome"] == "unsigned"
    assert "Unsigned" in client_for(scientist).get("/models/delays/versions/1/").content.decode()
    with pytest.raises(Conflict):
        services.request_check(actor=actor(scientist), version=version)


def test_a_file_changed_or_added_after_signing_is_found(make_model, make_version, signer, trusted):
    model, signed = make_model(), signer.signed(FILES)
    changed = make_version(model, files={**signed, "model.skops": b"other weights"})
    assert (found(changed).outcome, found(changed).key) == ("failed", trusted)
    assert found(changed).finding == "Changed since it was signed: model.skops."
    added = make_version(model, files={**signed, ".git/hooks": b"evil"})
    assert (found(added).outcome, found(added).finding) == ("failed", "Not signed: .git/hooks.")
    missing = make_version(model, files={name: signed[name] for name in signed if name != "data/more.bin"})
    assert (found(missing).outcome, found(missing).finding) == (
        "failed",
        "Signed and missing: data/more.bin.",
    )


def test_a_statement_altered_to_fit_other_files_does_not_hold(make_model, make_version, signer, trusted):
    signed, other = signer.signed(FILES), b"other weights"
    bundle = json.loads(signed["model.sig"])
    envelope = bundle["dsseEnvelope"]
    statement = json.loads(base64.b64decode(envelope["payload"]))
    for resource in statement["predicate"]["resources"]:
        if resource["name"] == "model.skops":
            resource["digest"] = hashlib.sha256(other).hexdigest()
    digests = b"".join(bytes.fromhex(each["digest"]) for each in statement["predicate"]["resources"])
    statement["subject"][0]["digest"]["sha256"] = hashlib.sha256(digests).hexdigest()
    envelope["payload"] = base64.b64encode(json.dumps(statement).encode()).decode()
    files = {**signed, "model.skops": other, "model.sig": json.dumps(bundle).encode()}
    version = make_version(make_model(), files=files)
    assert (found(version).outcome, found(version).key) == ("failed", None)
    assert found(version).finding.startswith("With the key release builds:")


def test_a_signature_that_leaves_files_out_is_none(make_model, make_version, signer, trusted):
    """The library skips what a signature says to skip; we do not."""
    version = make_version(make_model(), files=signer.signed(FILES, ignored=["data"]))
    assert (found(version).outcome, found(version).finding) == (
        "failed",
        "Not signed: data/more.bin.",
    )


def test_a_signature_over_pieces_of_files_is_not_judged(make_model, make_version, signer, trusted):
    version = make_version(make_model(), files=signer.signed(FILES, serialization="shards"))
    assert (found(version).outcome, "whole files" in found(version).finding) == ("failed", True)


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"\xff\xfe", b"[" * 100_000, json.dumps({"dsseEnvelope": {"payload": "e30="}}).encode()],
    ids=["empty", "no-envelope", "no-text", "deep", "empty-payload"],
)
def test_what_is_no_signature_fails_and_says_so(make_model, make_version, trusted, content):
    version = make_version(make_model(), files={**FILES, "model.sig": content})
    assert found(version).outcome == "failed"
    assert "cannot be read" in found(version).finding


def test_a_signature_waits_for_its_key_to_be_trusted(
    make_model, make_version, signer, admin, actor, run_jobs
):
    version = make_version(make_model(), files=signer.signed(FILES))
    assert (found(version).outcome, found(version).key) == ("untrusted", None)
    services.trust_key(actor=actor(admin), name="builds", public_key=signer.public, reason="Ours.")
    run_jobs()
    assert found(version).outcome == "verified"


def test_a_retired_key_counts_for_nothing_new(
    make_model, make_version, signer, trusted, admin, actor, client_for, scientist
):
    model = make_model()
    before = make_version(model, files=signer.signed(FILES))
    services.retire_key(actor=actor(admin), key=trusted, reason="The build server was broken into.")
    after = make_version(model, files=signer.signed(FILES))
    assert (found(before).outcome, found(after).outcome) == ("verified", "untrusted")
    page = client_for(scientist).get("/models/delays/versions/1/").content.decode()
    assert "key retired" in page
    with pytest.raises(Conflict):
        services.retire_key(actor=actor(admin), key=trusted, reason="Again.")
    assert events("registry.key_retired")[0]["reason"] == "The build server was broken into."


def test_only_p256_public_keys_are_trusted_and_none_twice(signer, trusted, admin, actor, tmp_path):
    other = ed25519.Ed25519PrivateKey.generate().public_key()
    refused = {
        "private key": signer.private,
        "ed25519": other.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(),
        "p384": Signer(tmp_path, ec.SECP384R1()).public,
        "text": "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
    }
    for name, pem in refused.items():
        with pytest.raises(Invalid) as refusal:
            services.trust_key(actor=actor(admin), name=name, public_key=pem, reason="Try.")
        assert refusal.value.field == "public_key"
    for name, pem in (("again", signer.public), ("release builds", Signer(tmp_path).public)):
        with pytest.raises(Conflict):
            services.trust_key(actor=actor(admin), name=name, public_key=pem, reason="Try.")
    assert TrustedKey.objects.count() == 1


def test_only_admins_decide_which_keys_are_trusted(
    signer, trusted, scientist, reviewer, auditor, admin, stranger, actor, client_for
):
    for account in (scientist, reviewer, auditor):
        with pytest.raises(NotAllowed):
            services.trust_key(actor=actor(account), name="mine", public_key=signer.public, reason="Try.")
        with pytest.raises(NotAllowed):
            services.retire_key(actor=actor(account), key=trusted, reason="Try.")
    seen = {
        account.username: (
            client_for(account).get("/api/v1/signing-keys").status_code,
            client_for(account).get("/admin/signing-keys/").status_code,
        )
        for account in (admin, auditor, scientist, stranger)
    }
    assert seen == {
        "admin": (200, 200),
        "auditor": (200, 200),
        "scientist": (403, 403),
        "stranger": (403, 403),
    }


def test_keys_by_rest_and_on_the_page(signer, tmp_path, admin, client_for):
    client, json_body = client_for(admin), {"content_type": "application/json"}
    body = {"name": "builds", "public_key": signer.public, "reason": "Ours."}
    made = client.post("/api/v1/signing-keys", body, **json_body)
    assert made.status_code == 201
    assert client.post("/api/v1/signing-keys", {**body, "name": "b"}, **json_body).status_code == 409
    wrong = client.post("/api/v1/signing-keys", {**body, "public_key": "x"}, **json_body)
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (400, "/public_key")
    address = f"/api/v1/signing-keys/{made.json()['id']}/retire"
    assert client.post(address, {}, **json_body).status_code == 400
    assert client.post(address, {"reason": "Old."}, **json_body).json()["retire_reason"] == "Old."
    page = client.post("/admin/signing-keys/", {**body, "public_key": signer.private})
    assert page.status_code == 422
    assert "That is a private key" in page.content.decode()
    done = client.post("/admin/signing-keys/", body, follow=True).content.decode()
    assert "1 key may sign models" in done
    assert "Retired" in done
