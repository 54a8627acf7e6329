"""A scientist registers tables; a worker reads them; they never change afterwards."""

import hashlib
import io
import struct
from datetime import datetime

import numpy
import polars
import pyarrow
import pyarrow.parquet
import pytest
from django.db import DatabaseError, transaction

from audit.models import Event
from core.errors import Conflict, Invalid, NotAllowed
from core.jobs.models import Job
from core.text import checked_json
from pipelines import services
from pipelines.compute.checking import check
from pipelines.contracts import parse
from pipelines.models import Dataset, DatasetVersion
from pipelines.sandbox import Limits, Stopped, ask
from tests.pipelines.conftest import CONTRACT, parquet, saved, table
from tests.tampering import overwrite

pytestmark = pytest.mark.django_db


def test_a_table_is_read_described_and_kept_under_its_digest(make_dataset, add_version):
    content = parquet(table())
    version = add_version(make_dataset(), content, label="2013-01")
    assert (version.status, version.rows, version.failure) == ("ready", 4, "")
    assert version.digest == hashlib.sha256(content).hexdigest()
    assert version.column("temp") == {"name": "temp", "type": "number", "nullable": True}
    about = {each["name"]: each for each in version.profile["columns"]}
    assert about["temp"]["nulls"] == 1
    assert about["temp"]["quantiles"]["0.5"] == 30.5
    assert sum(about["temp"]["histogram"]["counts"]) == 3
    assert about["origin"]["top"][0] == {"value": "EWR", "rows": 2}
    assert version.event_time_from.isoformat() == "2013-01-01T10:00:00+00:00"
    assert version.event_time_to.isoformat() == "2013-01-03T04:00:00+00:00"
    assert Event.objects.filter(fields__action="pipelines.version_registered").count() == 1
    assert Event.objects.filter(fields__action="pipelines.version_ready").count() == 1


def test_csv_becomes_parquet_with_types(make_dataset, add_version):
    text = "id,hour,temp,at\na,5,30.5,2013-01-01T10:00:00Z\nb,6,,2013-01-01T11:00:00Z\n"
    version = add_version(make_dataset(), text.encode())
    assert version.status == "ready", version.failure
    assert version.source_format == "csv"
    assert version.digest != version.source_digest
    assert [each["type"] for each in version.schema] == ["string", "integer", "number", "datetime"]


def test_csv_keeps_digits_and_takes_every_word_for_missing_alike(make_dataset, add_version):
    text = (
        "id,zip,hash,temp,at\n"
        "a,00123,18446744073709551616,1.5,2013-01-01\n"
        "b,04109,1,NA,2013-01-02\n"
        "NA,,,NaN,\n"
        "c,8001,2,nan,2013-01-04\n"
        "d,null,3,null,NA\n"
    )
    version = add_version(make_dataset(), text.encode())
    assert version.status == "ready", version.failure
    assert [each["type"] for each in version.schema] == ["string", "string", "string", "number", "date"]
    about = {each["name"]: each for each in version.profile["columns"]}
    assert {name: each["nulls"] for name, each in about.items()} == {
        "id": 1,
        "zip": 2,
        "hash": 1,
        "temp": 4,
        "at": 2,
    }
    assert {each["value"] for each in about["zip"]["top"]} == {"00123", "04109", "8001"}
    assert "18446744073709551616" in {each["value"] for each in about["hash"]["top"]}


def test_every_number_and_time_that_the_format_holds_is_taken(make_dataset, add_version):
    ends = [-(2**63), 2**63 - 1, None, 0]
    first, last = datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59, 999999)
    frame = table(
        small=ends,
        large=polars.Series([0, 2**64 - 1, None, 1], dtype=polars.UInt64),
        day=[first.date(), last.date(), None, None],
        time=[first, last, None, None],
        ns=polars.Series([-(2**63), 2**63 - 1, None, 0], dtype=polars.Int64).cast(polars.Datetime("ns")),
    )
    rules = {"large": {"type": "integer", "min": 0, "max": 5}, "small": {"type": "integer", "min": 0}}
    document = {
        **CONTRACT,
        "columns": {name: {**each, "max_null_share": 0.5} for name, each in rules.items()},
    }
    dataset = make_dataset()
    version = add_version(dataset, parquet(frame))
    assert version.status == "ready", version.failure
    about = {each["name"]: each for each in version.profile["columns"]}
    assert (about["small"]["min"], about["small"]["max"]) == (-(2**63), 2**63 - 1)
    assert about["large"]["max"] == pytest.approx(2.0**64)
    assert about["time"]["max"].startswith("9999-12-31T23:59:59")
    assert about["small"]["quantiles"]["0.5"] == 0
    text = "id,small,at\na,-9223372036854775808,2013-01-01\nb,1,2013-01-01\n"
    assert add_version(dataset, text.encode()).status == "ready"
    found = check(lambda: [frame], parse({**document, "unique": []}))
    assert {each["column"] for each in found if each["status"] == "failed"} == {"large", "small"}
    checked_json(found, "results")


def test_the_same_bytes_are_one_version(make_dataset, add_version, actor, scientist, tmp_path):
    dataset = make_dataset()
    first = add_version(dataset)
    again = services.register_version(
        actor=actor(scientist), dataset=dataset, content=saved(tmp_path, parquet(table()))
    )
    assert again == first
    assert dataset.versions.count() == 1


def dated(day, unit):
    """A column of days around 1970, the third of them as given."""
    kind = polars.Date if unit is None else polars.Datetime(unit)
    per_day = 1 if unit is None else 86_400_000
    days = polars.Series([0, None, day, 1], dtype=polars.Int64) * per_day
    return table().with_columns(day=days.cast(polars.Int32 if unit is None else polars.Int64).cast(kind))


def unknown_zone():
    file = io.BytesIO()
    times = pyarrow.array([0], pyarrow.timestamp("us", "Mars/Phobos"))
    pyarrow.parquet.write_table(pyarrow.table({"id": ["a"], "at": times}), file)
    return file.getvalue()


def spoilt_text():
    """Text that is no UTF-8, as a writer in another language may have left it."""
    file, data = io.BytesIO(), pyarrow.py_buffer(b"a\xff\xfe")
    offsets = pyarrow.py_buffer(numpy.array([0, 1, 3], numpy.int32).tobytes())
    text = pyarrow.StringArray.from_buffers(2, offsets, data)
    pyarrow.parquet.write_table(pyarrow.table({"id": text}), file)
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"id,id\n1,2\n", "Two columns are named id"),
        (b"id,\n1,2\n", "The name of column 2 is blank"),
        (b"id,hour,at\n", "The table has no rows"),
        (parquet(table(temp=[1.0, float("nan"), 2.0, 3.0])), "Column temp holds nan in row 2"),
        (
            b"id,temp,at\na,1.5,2013-01-01T10:00:00Z\nb,inf,2013-01-01T10:00:00Z\n",
            "Column temp holds inf in row 2",
        ),
        (b"id,name,at\na,\xed\xa0\x80,2013-01-01T10:00:00Z\n", "not UTF-8"),
        (b"id,name,at\na,x\x00y,2013-01-01T10:00:00Z\n", "U+0000"),
        (b"id,at\na,2013-01-01T10:00:00Z,extra\n", "Row 1 has 3 cells, and the header names 2 columns"),
        (b'id,at\na,2013-01-01\n"b,2013-01-01\n', "Line 3 is not CSV: a quotation mark is opened and never"),
        (b'id,at\n"a" b,2013-01-01\n', "Line 2 is not CSV: something other than a comma follows"),
        (b"id,hour,at\ra,1,2013-01-01\r", "Lines end with a carriage return alone"),
        (b"id,at\na,2013-01-01\rb,2013-01-02\n", "Lines end with a carriage return alone"),
        (b"id;at\na;2013-01-01\n", "separated by semicolons?"),
        (b"id\tat\na\t2013-01-01\n", "separated by tabs?"),
        (
            parquet(dated(2_932_897, unit="ms")),
            "Column day holds a time outside the years 1 to 9999 in row 3",
        ),
        (parquet(dated(-719_163, unit=None)), "Column day holds a time outside the years 1 to 9999 in row 3"),
        (unknown_zone(), "Column at cannot be decoded"),
        (spoilt_text(), "Column id cannot be decoded in row 2"),
        (b"id,at\na,soon\n", "holds no times"),
        (b"hour,at\n1,2013-01-01T10:00:00Z\n", "no column id"),
        (b"PAR1 is not all there is to Parquet", "not readable as Parquet"),
        (parquet(table()).replace(b"PAR1", b"PAR2"), "not UTF-8"),
        ("id\u202e,at\na,2013-01-01T10:00:00Z\n".encode(), "control, zero-width"),
        (parquet(table(id=[["a"], ["b"], ["c"], ["d"]])), "which is not a plain one"),
        (parquet(table(temp=[1.0, float("inf"), 2.0, 3.0])), "Column temp holds inf in row 2"),
    ],
)
def test_a_file_that_is_no_table_is_refused_with_a_sentence(make_dataset, add_version, content, said):
    version = add_version(make_dataset(), content)
    assert version.status == "failed"
    assert said in version.failure
    assert Event.objects.filter(fields__action="pipelines.version_failed").count() == 1
    assert Job.objects.get(kind="pipelines.profile_version").status == "failed"


def test_an_empty_file_is_refused_at_the_door(make_dataset, add_version):
    with pytest.raises(Invalid) as refused:
        add_version(make_dataset(), b"")
    assert refused.value.field == "file"


def test_a_file_that_failed_may_be_registered_again(make_dataset, add_version):
    dataset = make_dataset()
    first, second = add_version(dataset, b"id,id\n1,2\n"), add_version(dataset, b"id,id\n1,2\n")
    assert (first.number, second.number) == (1, 2)


def test_a_table_that_decodes_to_more_than_the_memory_limit_fails_alone(
    make_dataset, add_version, monkeypatch
):
    from pipelines import inspecting

    monkeypatch.setattr(inspecting, "LIMITS", inspecting.Limits(cpu_seconds=30, memory_bytes=700 << 20))
    bomb = polars.DataFrame(
        {"id": polars.repeat("x" * 5000, 400_000, eager=True), "at": "2013-01-01T10:00:00Z"}
    )
    content = parquet(bomb)
    assert len(content) < 1 << 20
    version = add_version(make_dataset(key_columns=[], event_time_column=""), content)
    assert version.status == "failed"
    assert add_version(make_dataset("others")).status == "ready"


def test_a_ready_version_cannot_be_changed_even_by_sql(make_dataset, add_version):
    version = add_version(make_dataset())
    for change in ({"digest": "0" * 64}, {"rows": 5}, {"number": 9}, {"schema": []}):
        with pytest.raises(DatabaseError), transaction.atomic():
            DatasetVersion.objects.filter(pk=version.pk).update(**change)


def test_stored_bytes_that_changed_are_not_read(make_dataset, actor, scientist, tmp_path, run_jobs):
    version = services.register_version(
        actor=actor(scientist), dataset=make_dataset(), content=saved(tmp_path, parquet(table()))
    )
    overwrite(version.source_digest, parquet(table(hour=[1, 2, 3, 4])))
    run_jobs()
    version.refresh_from_db()
    assert version.status == "failed"
    assert "registered was" in version.failure


def test_who_did_not_create_it_neither_sees_nor_adds(
    make_dataset, add_version, make_account, stranger, actor, reviewer
):
    dataset = make_dataset()
    version = add_version(dataset)
    other = make_account("other", "data-scientist")
    for nobody in (other, stranger):
        assert not Dataset.objects.visible_to(actor(nobody)).exists()
        assert not DatasetVersion.objects.visible_to(actor(nobody)).exists()
        with pytest.raises(NotAllowed):
            add_version(dataset, by=nobody)
    assert Event.objects.filter(fields__outcome="denied").count() == 2
    assert list(DatasetVersion.objects.visible_to(actor(reviewer))) == [version]
    with pytest.raises(NotAllowed):
        services.create_dataset(actor=actor(stranger), name="mine")


def test_a_grant_gives_sight_and_more_and_can_be_taken_back(
    make_dataset, make_account, actor, scientist, add_version
):
    dataset, other = make_dataset(), make_account("other", "data-scientist")
    mine = actor(scientist)
    services.grant(actor=mine, dataset=dataset, right="register", reason="Same team.", account=other)
    assert Dataset.objects.visible_to(actor(other)).get() == dataset
    assert add_version(dataset, by=other).status == "ready"
    services.revoke(actor=mine, dataset=dataset, right="view", reason="Left the team.", account=other)
    assert not Dataset.objects.visible_to(actor(other)).exists()
    with pytest.raises(NotAllowed):
        services.grant(actor=actor(other), dataset=dataset, right="view", reason="Me.", account=other)


@pytest.mark.parametrize(
    "name", ["", "a/b", "..", "-x", "flights\u202e", "fl\u0131ghts", "a b", "x" * 101, "\ud800"]
)
def test_names_that_confuse_are_refused(make_dataset, name):
    with pytest.raises(Invalid) as refused:
        make_dataset(name)
    assert refused.value.field == "name"


def test_a_taken_name_a_wrong_zone_and_repeated_keys_are_refused(make_dataset):
    make_dataset()
    with pytest.raises(Conflict):
        make_dataset()
    with pytest.raises(Invalid, match="time_zone"):
        make_dataset("b", time_zone="Mars/Olympus")
    with pytest.raises(Invalid, match="key_columns"):
        make_dataset("c", key_columns=["id", "id"])


def test_a_quarantined_version_is_not_used_until_it_is_released(
    make_dataset, add_version, actor, scientist, reviewer
):
    version, mine = add_version(make_dataset()), actor(scientist)
    services.quarantine_version(actor=mine, version=version, reason="A sensor was stuck.")
    version.refresh_from_db()
    with pytest.raises(Conflict, match=r"flights v1 is quarantined: A sensor was stuck\."):
        services.require_valid(version)
    with pytest.raises(NotAllowed):
        services.release_version(actor=actor(reviewer), version=version, reason="Looks fine.")
    services.release_version(actor=mine, version=version, reason="Was another sensor.")
    version.refresh_from_db()
    services.require_valid(version)


def test_a_float_that_is_huge_does_not_break_the_profile(make_dataset, add_version):
    huge = struct.unpack("<d", b"\xff\xff\xff\xff\xff\xff\xef\x7f")[0]
    version = add_version(make_dataset(), parquet(table(temp=[huge, -huge, None, 1.0])))
    assert version.status == "ready", version.failure


def test_a_program_that_breaks_keeps_its_inner_words_for_the_log(caplog):
    with pytest.raises(Stopped) as stopped:
        ask("pipelines.compute.inspection", {}, mounts=[], limits=Limits(cpu_seconds=30))
    assert "KeyError" not in str(stopped.value)
    assert "KeyError: 'path'" in caplog.text
