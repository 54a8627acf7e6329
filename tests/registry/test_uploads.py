"""Folders sent in parts: each byte once, only by whoever began, and never anything else than was said."""

import hashlib

import pytest

from audit.models import Event
from core.errors import Conflict, Invalid, NotAllowed
from core.object_store import store
from registry import services as registry
from registry.models import ModelVersion
from registry.uploads import services
from registry.uploads.models import Upload, UploadPart

pytestmark = pytest.mark.django_db
MLMODEL = b"flavors:\n  python_function:\n    loader_module: mlflow.x\n"
API = "/api/v1/models/delays/uploads"


def said(**files):
    return [
        {"path": path, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for path, content in files.items()
    ]


def put(client, key, file, start, content):
    return client.put(f"{API}/{key}/files/{file}/parts/{start}", content, "application/octet-stream")


@pytest.fixture
def begun(make_model, scientist, token_client):
    """An upload of two files by the scientist, with nothing of it here yet."""
    make_model("delays")
    files = said(MLmodel=MLMODEL, weights=b"0123456789")
    answer = token_client(scientist).post(API, {"files": files}, "application/json")
    assert answer.status_code == 201, answer.content
    return answer.json()


def test_parts_become_a_version_with_the_digests_that_were_said(
    begun, scientist, token_client, run_jobs, tracking
):
    client, key = token_client(scientist), begun["id"]
    assert put(client, key, 0, 0, MLMODEL).json() == {"received": len(MLMODEL)}
    assert put(client, key, 1, 0, b"01234").json() == {"received": 5}
    assert put(client, key, 1, 0, b"01234").json() == {"received": 5}, "sent again, it changes nothing"
    gap = put(client, key, 1, 7, b"789")
    assert (gap.status_code, gap.json()["code"], gap.json()["received"]) == (409, "part_out_of_order", 5)
    again = client.post(API, {"files": said(weights=b"0123456789", MLmodel=MLMODEL)}, "application/json")
    assert again.json()["id"] == key
    assert [each["received"] for each in again.json()["files"]] == [len(MLMODEL), 5]
    assert put(client, key, 1, 5, b"56789").json() == {"received": 10}
    made = client.post("/api/v1/models/delays/versions", {"source": begun["source"]}, "application/json")
    assert made.status_code == 202, made.content
    run_jobs()
    version = ModelVersion.objects.get()
    assert version.status == "READY", version.status_message
    manifest = {each["path"]: each["sha256"] for each in version.manifest}
    assert manifest == {each["path"]: each["sha256"] for each in begun["files"]}
    with store().open(manifest["weights"]) as content:
        assert content.read() == b"0123456789"
    assert not Upload.objects.exists(), "nothing is under way any more, and nothing kept twice"


def test_an_upload_that_is_not_whole_or_came_otherwise_makes_no_version(
    begun, scientist, actor, token_client, run_jobs, tracking
):
    client, key = token_client(scientist), begun["id"]
    for file, content, why in ((0, MLMODEL, "is not whole yet"), (1, b"012345678X", "another content")):
        put(client, key, file, 0, content)
        model = Upload.objects.get().model
        registry.create_version(actor=actor(scientist), model=model, source=begun["source"])
        run_jobs()
        version = ModelVersion.objects.latest("number")
        assert version.status == "FAILED_REGISTRATION"
        assert why in version.status_message
    assert Upload.objects.get().received() == [len(MLMODEL), 0], "only what came otherwise is sent again"
    put(client, key, 1, 0, b"0123456789")
    registry.create_version(actor=actor(scientist), model=model, source=begun["source"])
    run_jobs()
    assert ModelVersion.objects.latest("number").status == "READY"


def test_files_that_claim_a_run_are_registered_from_there(
    make_model, scientist, actor, run_jobs, tracking, token_client
):
    model, content = make_model("delays"), MLMODEL + b"run_id: 0123456789abcdef\n"
    upload = services.begin_upload(actor=actor(scientist), model=model, files=said(MLmodel=content))
    put(token_client(scientist), upload.pk, 0, 0, content)
    registry.create_version(actor=actor(scientist), model=model, source=upload.source)
    run_jobs()
    assert "register them from there" in ModelVersion.objects.get().status_message


def test_nobody_sees_or_uses_what_another_sends(
    begun, scientist, stranger, reviewer, make_account, token_client, actor, run_jobs, tracking
):
    from registry.access.services import grant

    key, model = begun["id"], Upload.objects.get().model
    colleague = make_account("colleague", "data-scientist")
    grant(actor=actor(scientist), model=model, right="register", account=colleague, reason="Helps.")
    put(token_client(scientist), key, 0, 0, MLMODEL)
    put(token_client(scientist), key, 1, 0, b"0123456789")
    for nobody in (stranger, reviewer, colleague):
        client = token_client(nobody)
        assert client.get(f"{API}/{key}").status_code == 404
        assert put(client, key, 1, 0, b"x").status_code == 404
        listed = client.get(API)
        assert listed.status_code == 404 or listed.json()["items"] == []
    with pytest.raises(NotAllowed):
        services.begin_upload(actor=actor(reviewer), model=model, files=said(MLmodel=MLMODEL))
    assert Event.objects.filter(fields__action="registry.begin_upload", fields__outcome="denied").exists()
    registry.create_version(actor=actor(colleague), model=model, source=begun["source"])
    run_jobs()
    assert ModelVersion.objects.get().status_message == f"There is no upload {key}."
    other = registry.create_model(actor=actor(scientist), name="other")
    registry.create_version(actor=actor(scientist), model=other, source=begun["source"])
    run_jobs()
    assert ModelVersion.objects.get(model=other).status_message == f"There is no upload {key}."


@pytest.mark.parametrize(
    ("files", "field"),
    [
        ([], "files"),
        ([{"path": "../x", "size": 1, "sha256": "a" * 64}], "path"),
        ([{"path": "x", "size": -1, "sha256": "a" * 64}], "files"),
        ([{"path": "x", "size": 1, "sha256": "A" * 64}], "files[0].sha256"),
        ([{"path": "x", "size": 1, "sha256": "a" * 64}] * 2, "source"),
        ([{"path": "x", "size": 1}], "files"),
    ],
)
def test_a_list_that_could_be_no_version_is_refused_at_once(
    make_model, scientist, token_client, files, field
):
    make_model("delays")
    answer = token_client(scientist).post(API, {"files": files}, "application/json")
    assert answer.status_code == 400, answer.content
    assert field.split("[")[0] in answer.content.decode()
    assert not Upload.objects.exists()


def test_parts_outside_of_a_file_and_too_large_ones_change_nothing(
    begun, scientist, token_client, settings, monkeypatch
):
    from registry.uploads.api import views

    client, key = token_client(scientist), begun["id"]
    assert put(client, key, 1, 0, b"0123456789more").status_code == 400
    assert put(client, key, 1, 0, b"").status_code == 400
    assert put(client, key, 2, 0, b"0").status_code == 400
    assert put(client, key, 1, 7, b"789").status_code == 409
    for content in (b"0123456789more", b"0", b"789"):
        assert not store().exists(hashlib.sha256(content).hexdigest()), "a refused part was kept"
    monkeypatch.setattr(views, "PART_BYTES", 4)
    assert put(client, key, 1, 0, b"01234").status_code == 413
    assert not UploadPart.objects.exists()


def test_what_a_model_may_not_keep_is_refused_before_it_is_sent(make_model, scientist, actor, settings):
    from core.errors import TooLarge

    settings.REGISTRY_LARGEST_VERSION_BYTES = 20
    with pytest.raises(TooLarge):
        services.begin_upload(
            actor=actor(scientist), model=make_model("delays"), files=said(MLmodel=b"x" * 21)
        )


def test_what_others_are_sending_counts_for_what_a_model_may_keep(
    begun, scientist, actor, settings, token_client, run_jobs, tracking
):
    settings.REGISTRY_MODEL_QUOTA_BYTES = len(MLMODEL) + 12
    client, key = token_client(scientist), begun["id"]
    for file, content in ((0, MLMODEL), (1, b"0123456789")):
        assert put(client, key, file, 0, content).status_code == 200
    other = client.post(API, {"files": said(MLmodel=b"abc")}, "application/json")
    assert (other.status_code, other.json()["code"]) == (413, "quota_exceeded")
    assert "in uploads under way, so that 2 are left" in other.json()["detail"]
    small = client.post(API, {"files": said(MLmodel=b"ab")}, "application/json").json()["id"]
    client.post("/api/v1/models/delays/versions", {"source": begun["source"]}, "application/json")
    run_jobs()
    assert ModelVersion.objects.get().status == "READY"
    assert put(client, small, 0, 0, b"ab").status_code == 200, "what became a version counts once"
    settings.REGISTRY_MODEL_QUOTA_BYTES -= 11
    assert put(client, small, 0, 0, b"ab").status_code == 200, "it is here already"
    assert client.post(API, {"files": said(MLmodel=b"a")}, "application/json").status_code == 413


def test_an_upload_goes_on_where_its_own_bytes_leave_no_room_for_another(
    begun, scientist, settings, token_client
):
    settings.REGISTRY_MODEL_QUOTA_BYTES = len(MLMODEL) + 12
    client, key = token_client(scientist), begun["id"]
    put(client, key, 0, 0, MLMODEL)
    again = client.post(API, {"files": said(MLmodel=MLMODEL, weights=b"0123456789")}, "application/json")
    assert (again.status_code, again.json()["id"]) == (201, key)
    assert put(client, key, 1, 0, b"0123456789").status_code == 200
    assert token_client(scientist, ["view"]).delete(f"{API}/{key}").status_code == 403


def test_an_upload_that_two_versions_were_asked_of_serves_both(
    begun, scientist, actor, token_client, run_jobs, tracking
):
    client, key = token_client(scientist), begun["id"]
    for file, content in ((0, MLMODEL), (1, b"0123456789")):
        put(client, key, file, 0, content)
    for _ in range(2):
        registry.create_version(
            actor=actor(scientist), model=Upload.objects.get().model, source=begun["source"]
        )
    run_jobs()
    assert set(ModelVersion.objects.values_list("status", flat=True)) == {"READY"}
    assert not Upload.objects.exists()


@pytest.mark.parametrize("path", [" a", "a ", "b/ c", "~/x", "a%20c", "a%2Fb"])
def test_names_no_client_could_load_again_are_refused(path, make_model, scientist, token_client):
    make_model("delays")
    refused = token_client(scientist).post(API, {"files": said(**{path: b"x"})}, "application/json")
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (400, "/files/0/path")


def test_an_upload_is_given_up_by_who_began_it(begun, scientist, stranger, token_client):
    address = f"{API}/{begun['id']}"
    assert token_client(stranger).delete(address).status_code == 404
    assert token_client(scientist).delete(address).status_code == 204
    assert token_client(scientist).delete(address).status_code == 404
    assert not Upload.objects.exists()
    assert Event.objects.acting("registry.upload_given_up").count() == 1


def test_uploads_nobody_goes_on_with_are_forgotten(begun, scientist, actor, run_jobs, token_client):
    from django.db import transaction
    from django.utils import timezone

    from core.jobs import enqueue

    put(token_client(scientist), begun["id"], 1, 0, b"01234")
    with transaction.atomic():
        enqueue("registry.forget_uploads")
    run_jobs()
    assert Upload.objects.exists()
    Upload.objects.update(expires_at=timezone.now())
    with transaction.atomic():
        enqueue("registry.forget_uploads")
    run_jobs()
    assert not Upload.objects.exists() and not UploadPart.objects.exists()


def test_a_person_has_some_uploads_under_way_and_no_more(make_model, scientist, actor, monkeypatch):
    monkeypatch.setattr(services, "MOST_OPEN", 1)
    model = make_model("delays")
    services.begin_upload(actor=actor(scientist), model=model, files=said(MLmodel=MLMODEL))
    with pytest.raises(Conflict):
        services.begin_upload(actor=actor(scientist), model=model, files=said(MLmodel=b"another"))


def test_the_list_costs_the_same_for_one_and_twelve(make_model, scientist, actor, token_client):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    model, client, counts = make_model("delays"), token_client(scientist), []
    client.get(API)
    for first, last in ((0, 1), (1, 12)):
        for number in range(first, last):
            services.begin_upload(actor=actor(scientist), model=model, files=said(MLmodel=b"%d" % number))
        with CaptureQueriesContext(connection) as asked:
            assert len(client.get(API).json()["items"]) == last
        counts.append(len(asked))
    assert counts[0] == counts[1]


def test_a_gap_is_refused_by_the_service_too(begun, scientist, actor):
    upload = Upload.objects.get()
    part = store().put_stream(iter([b"789"]))
    with pytest.raises(Conflict):
        services.add_part(actor=actor(scientist), upload=upload, file=1, start=7, part=part)
    with pytest.raises(Invalid):
        services.add_part(actor=actor(scientist), upload=upload, file=9, start=0, part=part)
