"""A version follows its run until the run has ended, and never afterwards."""

import json
from itertools import chain

import pytest
from django.db import DatabaseError, transaction

from core.actors import Actor
from core.errors import NotAllowed
from registry.following import settle
from registry.models import ModelVersion
from registry.run_facts import RunFacts
from registry.services import create_version, settle_run
from registry.storage.services import place_hold
from registry.tasks import in_turns
from registry.tracked import OWNER
from registry.tracking import tracking_server
from tests.registry.test_registering_models import events

pytestmark = pytest.mark.django_db


@pytest.fixture
def going(make_model, make_version, tracking):
    """A version whose run goes on."""
    version = make_version(make_model("delays"), status="RUNNING")
    assert version.is_run_going
    return version


@pytest.fixture
def end(tracking):
    """``end(version, metrics=…, tags=…)``: the run logs more and ends."""

    def done(version, metrics=None, tags=None):
        run = tracking.runs[version.run_id]
        run["info"]["status"] = "FINISHED"
        run["data"]["metrics"] += [{"key": key, "value": value} for key, value in (metrics or {}).items()]
        run["data"]["tags"] += [{"key": key, "value": value} for key, value in (tags or {}).items()]
        settle(version, tracking=tracking_server(), actor=Actor.system())
        version.refresh_from_db()

    return done


def test_what_the_run_logged_until_its_end_is_kept_once(going, end):
    end(going, metrics={"auc": 0.7}, tags={"controlplane.holdout": '{"kind": "random"}'})
    assert (going.metrics, going.holdout, going.is_run_going) == ({"auc": 0.7}, {"kind": "random"}, False)
    [event] = events("registry.run_settled")
    assert (event["before"]["metrics"], event["after"]["metrics"]) == ({}, {"auc": 0.7})
    end(going, metrics={"auc": 0.99})
    assert going.metrics == {"auc": 0.7}
    assert len(events("registry.run_settled")) == 1
    with pytest.raises(DatabaseError), transaction.atomic():
        ModelVersion.objects.filter(pk=going.pk).update(metrics={"auc": 1})


def test_the_files_of_a_version_whose_run_goes_on_are_frozen_all_the_same(going):
    for change in (
        {"digest": "0" * 64},
        {"manifest": []},
        {"source": "x"},
        {"signature": {}},
        {"run_id": "x"},
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            ModelVersion.objects.filter(pk=going.pk).update(**change)


def test_what_decisions_rest_on_stays_where_a_version_is_needed(going, end, admin, actor):
    place_hold(actor=actor(admin), version=going, reason="Asked for by a court.")
    end(going, metrics={"auc": 0.7}, tags={"controlplane.holdout": '{"kind": "random"}'})
    assert (going.metrics, going.holdout, going.is_run_going) == ({"auc": 0.7}, {}, False)


def test_a_tag_that_cannot_be_read_leaves_the_rest(going, end):
    end(going, metrics={"auc": 0.7}, tags={"controlplane.dataset_versions": "no json"})
    assert (going.metrics, going.is_run_going) == ({"auc": 0.7}, False)
    assert "controlplane.dataset_versions" in json.dumps(events("registry.run_settled")[0]["reason"])


def test_a_logged_model_that_is_gone_holds_nothing_up(make_model, actor, scientist, tracking, run_jobs, end):
    tracking.add_run("r1", status="RUNNING")
    source = tracking.add_logged_model("m-gone", "r1")
    version = create_version(
        actor=actor(scientist), model=make_model(), source=source, run_id="r1", logged_model_id="m-gone"
    )
    run_jobs()
    version.refresh_from_db()
    assert version.is_run_going
    del tracking.logged_models["m-gone"]
    end(version, metrics={"auc": 0.7})
    assert (version.metrics, version.is_run_going) == ({"auc": 0.7}, False)


def test_a_run_that_was_hidden_since_is_not_read(going, end, tracking, stranger):
    """Else what is logged after a right was revoked would come into the versions made while it was held."""
    [owner] = [each for each in tracking.runs[going.run_id]["data"]["tags"] if each["key"] == OWNER]
    owner["value"] = str(stranger.person_id)
    end(going, metrics={"auc": 0.7})
    assert (going.metrics, going.is_run_going) == ({}, False)
    assert "no longer" in events("registry.run_settled")[0]["reason"]


def test_nobody_but_a_worker_reads_runs(going, scientist, actor):
    with pytest.raises(NotAllowed):
        settle_run(actor=actor(scientist), version=going, facts=RunFacts(), data=[])


def test_every_run_has_its_turn():
    runs = [f"r{number}" for number in range(7)]
    turns = [in_turns(runs, 3, turn) for turn in range(1_000_000, 1_000_003)]
    assert sorted(chain(*turns)) == runs
    assert in_turns([], 3, 5) == []
