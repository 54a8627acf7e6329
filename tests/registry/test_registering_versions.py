"""A version is registered, hashed by a worker, and never changes afterwards."""

import hashlib
import os
import threading

import pytest
from django.db import DatabaseError, connection, transaction

from core.actors import Actor
from core.canonical import canonical_json
from core.errors import Conflict, Invalid, NotAllowed
from core.jobs import enqueue
from core.jobs.models import Job
from registry import services
from registry.access import services as access
from registry.models import ModelVersion
from registry.run_facts import facts_of
from registry.tracked import LoggedModel, Run
from registry.tracking import tracking_server
from tests.registry.test_registering_models import events
from tests.registry.tracking import FILES

pytestmark = pytest.mark.django_db


def test_a_version_is_ready_once_its_files_are_hashed(make_model, tracking, scientist, actor, run_jobs):
    source = tracking.add_run(
        "r1",
        params={"max_iter": "200"},
        metrics={"roc_auc": 0.678},
        tags={
            "mlflow.source.git.commit": "4be07d2",
            "controlplane.holdout": '{"kind": "random", "test_fraction": 0.2}',
        },
    )
    model = make_model()
    version = services.create_version(actor=actor(scientist), model=model, source=source, run_id="r1")
    assert (version.number, version.status) == (1, "PENDING_REGISTRATION")
    run_jobs()
    version.refresh_from_db()
    assert version.status == "READY", version.status_message
    assert [entry["path"] for entry in version.manifest] == sorted(FILES)
    for entry in version.manifest:
        content = FILES[entry["path"]]
        content = content.replace("%(run_id)s", "r1").encode() if isinstance(content, str) else content
        assert entry == {
            "path": entry["path"],
            "size": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
        }
    assert version.digest == hashlib.sha256(canonical_json(version.manifest).encode()).hexdigest()
    assert version.parameters == {"max_iter": "200"}
    assert version.metrics == {"roc_auc": 0.678}
    assert version.code_commit == "4be07d2"
    assert version.holdout["kind"] == "random"
    assert version.environment == {"python": "3.11.2", "mlflow": "3.17.2"}
    assert [column["name"] for column in version.signature["inputs"]] == ["carrier", "temp"]
    assert set(version.flavours) == {"python_function", "sklearn"}
    assert "pickle" in version.format_warning
    [event] = events("registry.version_ready")
    assert event["after"]["digest"] == version.digest
    assert event["actor"]["kind"] == "system"


def test_a_logged_model_is_registered_with_its_run(make_model, tracking, scientist, actor, run_jobs):
    tracking.add_run("r1", params={"depth": "3"})
    source = tracking.add_logged_model("m-1", "r1")
    version = services.create_version(actor=actor(scientist), model=make_model(), source=source)
    run_jobs()
    version.refresh_from_db()
    assert (version.status, version.run_id, version.logged_model_id) == ("READY", "r1", "m-1")
    assert version.parameters == {"depth": "3"}


def test_a_path_of_a_run_means_the_newest_logged_model_of_that_name(
    make_model, tracking, scientist, actor, run_jobs
):
    tracking.add_run("r1", files={})
    for model_id in ("m-old", "m-new", "m-other"):
        tracking.add_logged_model(model_id, "r1")
    tracking.logged_models["m-other"]["info"]["name"] = "other"
    version = services.create_version(actor=actor(scientist), model=make_model(), source="runs:/r1/model")
    run_jobs()
    version.refresh_from_db()
    assert (version.status, version.run_id, version.logged_model_id) == ("READY", "r1", "m-new")
    assert version.file_count == 4


def test_an_artifact_address_of_the_run_is_accepted(make_model, tracking, scientist, actor, run_jobs):
    tracking.add_run("r1")
    source = "mlflow-artifacts:/0/r1/artifacts/model"
    version = services.create_version(actor=actor(scientist), model=make_model(), source=source, run_id="r1")
    run_jobs()
    version.refresh_from_db()
    assert version.status == "READY"


def test_files_of_another_run_are_not_registered_under_this_one(
    make_model, tracking, scientist, actor, run_jobs
):
    tracking.add_run("mine")
    tracking.add_run("theirs")
    source = "mlflow-artifacts:/0/theirs/artifacts/model"
    version = services.create_version(
        actor=actor(scientist), model=make_model(), source=source, run_id="mine"
    )
    run_jobs()
    version.refresh_from_db()
    assert version.status == "FAILED_REGISTRATION"
    assert "does not belong to run mine" in version.status_message
    assert not version.manifest


def test_what_somebody_else_logged_does_not_exist(
    make_model, make_account, tracking, scientist, actor, run_jobs
):
    other = make_account("other", "data-scientist")
    source = tracking.add_run("r1", owner=str(other.person_id))
    version = services.create_version(actor=actor(scientist), model=make_model(), source=source)
    missing = services.create_version(actor=actor(scientist), model=make_model("b"), source="runs:/r2/model")
    run_jobs()
    version.refresh_from_db()
    missing.refresh_from_db()
    assert version.status == missing.status == "FAILED_REGISTRATION"
    assert version.status_message == missing.status_message.replace("r2", "r1")


@pytest.mark.parametrize(
    "source",
    [
        "/etc/passwd",
        "file:///etc/passwd",
        "s3://bucket/model",
        "http://example.org/model",
        "../model",
        "runs:/r1/../../etc",
        "runs:/r1/%2e%2e/%2e%2e/etc",
        "runs:/r1/%252e%252e/etc",
        "runs:/r1/..%2fetc",
        "runs:/r1/..\\etc",
        "runs:/r1/a\x00b",
        "runs:/r1/%00",
        "runs:/../r1",
        "runs:/r1//etc/../passwd",
        "runs:/r1/C:/windows",
        "runs:/r1/C%3a/windows",
        "runs:/r1/" + "a" * 300,
        "runs:/r1/" + "a/" * 2000,
        "runs:/r1/\ud800",
        "models:/m-1/../../x",
        "mlflow-artifacts://evil.example/0/r1/artifacts",
        "mlflow-artifacts:/../../etc",
        "mlflow-artifacts:/%2e%2e/etc",
        "dbfs:/model",
        "",
        None,
        7,
    ],
)
def test_a_source_outside_the_runs_own_folder_is_refused(make_model, scientist, actor, source):
    model = make_model()
    with pytest.raises(Invalid) as refusal:
        services.create_version(actor=actor(scientist), model=model, source=source, run_id="r1")
    assert refusal.value.field == "source"
    assert not ModelVersion.objects.exists()
    assert not Job.objects.exists()


def test_a_run_that_is_not_there_fails_the_registration_with_its_name(
    make_model, tracking, scientist, actor, run_jobs
):
    version = services.create_version(actor=actor(scientist), model=make_model(), source="runs:/gone/model")
    run_jobs()
    version.refresh_from_db()
    assert (version.status, version.status_message) == ("FAILED_REGISTRATION", "There is no run gone.")


def test_a_tracking_server_that_is_away_delays_the_registration(
    make_model, tracking, scientist, actor, run_jobs
):
    source = tracking.add_run("r1")
    tracking.is_away = True
    version = services.create_version(actor=actor(scientist), model=make_model(), source=source)
    from core.jobs.run import run_job

    run_job(Job.objects.get().pk)
    version.refresh_from_db()
    assert version.status == "PENDING_REGISTRATION"
    tracking.is_away = False
    run_jobs()
    version.refresh_from_db()
    assert version.status == "READY"


def test_a_failed_registration_can_be_tried_again(make_model, tracking, scientist, actor, run_jobs):
    version = services.create_version(actor=actor(scientist), model=make_model(), source="runs:/r1/model")
    run_jobs()
    tracking.add_run("r1")
    services.retry_registration(actor=actor(scientist), version=version)
    run_jobs()
    version.refresh_from_db()
    assert (version.status, version.status_message) == ("READY", "")


@pytest.mark.parametrize("make", [os.symlink, os.link], ids=["symlink", "hard link"])
def test_links_are_refused(make_model, tracking, scientist, actor, run_jobs, tmp_path, make):
    source = tracking.add_run("r1")
    secret = tmp_path / "secret"
    secret.write_text("root:x:0:0")
    make(secret, tracking.artifacts / "0/r1/artifacts/model/data.txt")
    version = services.create_version(actor=actor(scientist), model=make_model(), source=source)
    run_jobs()
    version.refresh_from_db()
    assert version.status == "FAILED_REGISTRATION"
    assert "data.txt is a link" in version.status_message


def test_a_linked_folder_on_the_way_is_refused(make_model, tracking, scientist, actor, run_jobs, tmp_path):
    source = tracking.add_run("r1", path="real")
    (tracking.artifacts / "0/r1/artifacts/model").symlink_to(tracking.artifacts / "0/r1/artifacts/real")
    version = services.create_version(
        actor=actor(scientist), model=make_model(), source=source.replace("real", "model")
    )
    run_jobs()
    version.refresh_from_db()
    assert version.status == "FAILED_REGISTRATION"


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"notes.txt": "hello"}, "no MLmodel file"),
        ({"MLmodel": "- a list"}, "not a table"),
        ({"MLmodel": "flavors: {}"}, "names no flavours"),
        ({"MLmodel": "flavors: !!python/object/apply:os.system ['true']"}, "not plain YAML"),
        ({"MLmodel": "a: &a [1]\nflavors: {x: *a}"}, "not plain YAML"),
        ({"MLmodel": "flavors: {x: {}}\nsignature: {inputs: 'not json'}"}, "not JSON"),
        ({"MLmodel": "flavors: {x: {}}\nsignature: {inputs: '[NaN]'}"}, "finite"),
        ({"MLmodel": "flavors: {x: {}}\nrun_id: other"}, "are those of run other"),
        ({}, "no folder"),
    ],
)
def test_files_that_are_no_model_fail_with_a_reason(make_model, make_version, files, reason):
    version = make_version(make_model(), files=files)
    assert version.status == "FAILED_REGISTRATION"
    assert reason in version.status_message


@pytest.mark.parametrize(
    ("tag", "value"),
    [
        ("controlplane.holdout", "not json"),
        ("controlplane.holdout", '{"kind": "lucky"}'),
        ("controlplane.holdout", '{"kind": "random", "test_fraction": NaN}'),
        ("controlplane.dataset_versions", '{"role": "training"}'),
        ("controlplane.dataset_versions", '[{"role": "training", "id": "7"}]'),
        ("controlplane.dataset_versions", '[{"role": "training", "dataset": "flights"}]'),
        (
            "controlplane.dataset_versions",
            '[{"role": "training", "dataset": "flights", "version": 99999999999}]',
        ),
        ("controlplane.dataset_versions", '[{"role": "training", "dataset": ["flights"], "version": true}]'),
    ],
)
def test_wrong_facts_about_the_run_name_the_tag(make_model, make_version, tag, value):
    version = make_version(make_model(), tags={tag: value})
    assert version.status == "FAILED_REGISTRATION"
    assert tag in version.status_message


def test_metrics_without_a_number_are_kept_as_words(make_model, make_version):
    version = make_version(make_model(), metrics={"loss": float("nan"), "gain": float("inf"), "auc": 0.5})
    assert version.metrics == {"loss": "nan", "gain": "inf", "auc": 0.5}


def test_a_version_larger_than_allowed_is_refused(make_model, make_version, settings):
    settings.REGISTRY_LARGEST_VERSION_BYTES = 100
    version = make_version(make_model())
    assert version.status == "FAILED_REGISTRATION"
    assert "larger than 100 bytes" in version.status_message


def test_only_those_with_the_right_register_versions(make_model, reviewer, stranger, admin, actor):
    model = make_model()
    for account in (reviewer, stranger, admin):
        with pytest.raises(NotAllowed):
            services.create_version(actor=actor(account), model=model, source="runs:/r1/model")
    assert not ModelVersion.objects.exists()
    assert len(events("registry.create_version")) == 3


def test_of_a_logged_models_steps_the_newest_counts(tracking):
    steps = [(2, 0.3), (0, 0.9), (1, 0.5)]
    logged = [{"key": "loss", "value": value, "step": step, "timestamp": 7} for step, value in steps]
    tracking.add_logged_model("m-steps", "r", metrics=logged)
    assert tracking_server().logged_model("m-steps").metrics == {"loss": 0.3}


def test_a_value_that_is_no_number_is_not_taken_for_the_zero_of_its_logged_model():
    run = Run(id="r", metrics={"loss": "nan", "auc": 0.5, "gain": 0.2}, logged_models=("m", "n"))
    logged_model = LoggedModel(id="m", metrics={"loss": 0.0, "auc": 0.0, "own": 1.0})
    assert facts_of(run, logged_model).metrics == {"loss": "nan", "auc": 0.0, "gain": 0.2, "own": 1.0}


def test_of_a_run_with_one_model_the_newest_values_count_and_not_those_of_its_first_step():
    run = Run(id="r", metrics={"loss": 0.3}, logged_models=("m",))
    assert facts_of(run, LoggedModel(id="m", metrics={"loss": 0.9})).metrics == {"loss": 0.3}
    checkpoints = Run(id="r", metrics={"loss": 0.3}, logged_models=("m", "n"))
    assert facts_of(checkpoints, LoggedModel(id="m", metrics={"loss": 0.9})).metrics == {"loss": 0.9}


def test_content_of_a_ready_version_never_changes(make_model, make_version):
    version = make_version(make_model())
    for change in (
        {"digest": "0" * 64},
        {"manifest": []},
        {"status": "PENDING_REGISTRATION"},
        {"number": 9},
        {"metrics": {"auc": 1}},
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            ModelVersion.objects.filter(pk=version.pk).update(**change)
    with pytest.raises(Conflict):
        version.move_to("FAILED_REGISTRATION")


def test_numbers_are_never_reused(make_model, make_version, scientist, actor):
    model = make_model()
    first, second = make_version(model), make_version(model)
    services.delete_version(actor=actor(scientist), version=second)
    assert make_version(model).number == 3
    assert list(
        ModelVersion.objects.visible_to(actor(scientist)).order_by("number").values_list("number", flat=True)
    ) == [1, 3]
    assert first.number == 1


def test_a_copy_of_a_version_keeps_its_digest(make_model, make_version, scientist, actor, run_jobs):
    origin = make_version(make_model("delays"), params={"depth": "3"})
    copy = services.create_version(
        actor=actor(scientist), model=make_model("live-delays"), source="models:/delays/1"
    )
    run_jobs()
    copy.refresh_from_db()
    assert (copy.status, copy.digest, copy.parameters) == ("READY", origin.digest, {"depth": "3"})


def test_what_is_broken_is_not_copied(make_model, make_version, scientist, actor, run_jobs):
    origin = make_version(make_model())
    services.report_broken(actor=Actor.system(), version=origin, path="MLmodel", found="other bytes")
    services.create_version(
        actor=actor(scientist), model=origin.model, source=f"models:/delays/{origin.number}"
    )
    run_jobs()
    copy = ModelVersion.objects.latest("number")
    assert copy.status == "FAILED_REGISTRATION"
    assert "differ from what was registered" in copy.status_message


def test_half_of_an_upload_is_no_file_and_goes_after_a_day(make_model, scientist, actor, tracking, run_jobs):
    """A tracking server that was killed leaves them, hidden from MLflow's own lists."""
    source = tracking.add_run("r1")
    folder = tracking.artifacts / "0/r1/artifacts/model"
    half, new = (folder / f".artifact.uploading.{name}" for name in ("old", "new"))
    for each in (half, new):
        each.write_bytes(b"half")
    os.utime(half, (1, 1))
    services.create_version(actor=actor(scientist), model=make_model(), source=source, run_id="r1")
    run_jobs()
    version = ModelVersion.objects.get()
    assert version.status == "READY", version.status_message
    assert not [each for each in version.manifest if "uploading" in each["path"]]
    enqueue("registry.clean_half_uploads")
    run_jobs()
    assert (half.exists(), new.exists()) == (False, True)


def test_a_version_one_may_not_see_cannot_be_copied(make_model, make_version, make_account, actor):
    make_version(make_model("delays"))
    other = make_account("other", "data-scientist")
    target = make_model("mine", by=other)
    for source in ("models:/delays/1", "models:/nothing/1"):
        with pytest.raises(Invalid, match="There is no ready version 1"):
            services.create_version(actor=actor(other), model=target, source=source)


def test_a_copy_has_the_run_of_its_origin(make_model, make_version, tracking, scientist, actor, run_jobs):
    origin, copies = make_version(make_model("delays")), make_model("copies")
    tracking.add_run("another", metrics={"roc_auc": 0.99})
    copy = {"actor": actor(scientist), "model": copies, "source": "models:/delays/1"}
    for wrong in ({"run_id": "another"}, {"logged_model_id": "m-another"}):
        with pytest.raises(Invalid, match="delays v1 is not of"):
            services.create_version(**copy, **wrong)
    services.create_version(**copy)
    services.create_version(**copy, run_id=origin.run_id)
    run_jobs()
    assert {version.run_id for version in copies.versions.all()} == {origin.run_id}


def test_a_copy_tried_again_is_of_what_was_asked_for_and_may_be_seen_still(
    make_model, make_version, make_account, scientist, actor, run_jobs
):
    theirs, other = make_model("delays"), make_account("other", "data-scientist")
    origin = make_version(theirs, params={"depth": "3"})
    sight = {"model": theirs, "right": "view", "account": other, "reason": "To look on."}
    access.grant(actor=actor(scientist), **sight)
    mine = make_model("mine", by=other)
    copies = [
        services.create_version(actor=actor(other), model=mine, source="models:/delays/1") for _ in range(2)
    ]
    for copy in copies:
        services.fail_registration(actor=Actor.system(), version=copy, reason="Cancelled on request.")
    services.rename_model(actor=actor(scientist), model=theirs, new_name="delays-of-old")
    make_version(make_model("delays"), params={"depth": "secret"})
    services.retry_registration(actor=actor(other), version=copies[0])
    run_jobs()
    copies[0].refresh_from_db()
    assert (copies[0].status, copies[0].parent, copies[0].parameters) == ("READY", origin, {"depth": "3"})
    access.revoke(actor=actor(scientist), **sight)
    services.retry_registration(actor=actor(other), version=copies[1])
    run_jobs()
    copies[1].refresh_from_db()
    assert (copies[1].status, copies[1].manifest) == ("FAILED_REGISTRATION", [])
    assert "There is no ready version 1 of delays" in copies[1].status_message


@pytest.mark.django_db(transaction=True)
def test_eight_registrations_at_once_get_eight_numbers(make_model, tracking, scientist, actor):
    model, asking = make_model(), actor(scientist)
    failures = []

    def register():
        try:
            services.create_version(actor=asking, model=model, source="runs:/r1/model")
        except Exception as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=register) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert sorted(model.versions.values_list("number", flat=True)) == list(range(1, 9))


@pytest.mark.django_db(transaction=True)
def test_two_people_who_create_lookalikes_at_once_get_one_model(scientist, actor):
    from registry.models import RegisteredModel

    asking, refused = actor(scientist), []

    def create(name):
        try:
            services.create_model(actor=asking, name=name)
        except Conflict as error:
            refused.append(error.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=create, args=(name,)) for name in ("iris", "іris") * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert RegisteredModel.objects.count() == 1
    assert len(refused) == 5
