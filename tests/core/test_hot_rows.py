"""Prepared statements must write and read what Django's models would."""

import pytest

from core.hot_reads import fetch_row
from core.hot_rows import columns, insert_row, made_row, names_of
from core.jobs.models import Job
from registry.models import ModelTag, RegisteredModel

pytestmark = pytest.mark.django_db


def values(row, without=()):
    return {
        each.attname: getattr(row, each.attname)
        for each in row._meta.concrete_fields
        if each.attname not in without
    }


def test_an_inserted_row_is_the_one_that_is_read_back():
    job = Job(kind="tests.kind", payload={"ä": [1, None, 2.5]}, log_tail=["a", "b"], model_name="é")
    insert_row(job)
    assert job.created_at is not None
    assert values(Job.objects.get(pk=job.pk)) == values(job)


def test_it_is_stored_as_save_would_store_it():
    ours, djangos = (Job(kind="tests.kind", payload={"a": 1}, result=None) for _ in range(2))
    insert_row(ours)
    djangos.save(force_insert=True)
    differing = {"id", "created_at", "run_after"}
    assert values(Job.objects.get(pk=ours.pk), differing) == values(Job.objects.get(pk=djangos.pk), differing)


def test_a_key_the_database_gives_is_set_and_the_row_can_be_saved_again(make_account):
    model = RegisteredModel(name="delays", look_sha256="x")
    insert_row(model)
    tag = ModelTag(model=model, key="team", value="ops")
    insert_row(tag)
    tag.value = "other"
    tag.save()
    assert [(each.pk, each.value) for each in ModelTag.objects.all()] == [(tag.pk, "other")]


def test_a_made_row_is_djangos_and_reads_the_rest_when_asked():
    insert_row(RegisteredModel(name="delays", look_sha256="x", description="Late?"))
    names = tuple(each for each in names_of(RegisteredModel) if each != "description")
    found = fetch_row(f"SELECT {columns(RegisteredModel, 'm', names)} FROM registry_registeredmodel m", [])
    made = made_row(RegisteredModel, names, found)
    assert made.description == "Late?"
    assert values(made) == values(RegisteredModel.objects.get())
