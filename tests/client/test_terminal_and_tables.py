"""What never reaches the terminal or the server: characters that steer, columns and names that are not there."""

import json

import pytest
import typer
import yaml
from controlplane_client import ControlPlaneError
from controlplane_client.uploads import files_of
from cplane.columns import columns_of, require_columns
from cplane.output import Form, Printer, plain

from tests.pipelines.conftest import parquet, table

STEERING = [
    "\u202e",
    "\u2066",
    "\u200b",
    "\ufeff",
    "\u2028",
    "\x1b",
    "\x9b",
    "\r",
    "\x00",
    "\ud800",
    "\U000e0041",
]


@pytest.mark.parametrize("character", STEERING)
def test_nothing_that_steers_a_terminal_is_printed(character, capsys):
    text = f"a{character}b"
    assert plain({"name": [text]}) == "name=a\ufffdb"
    for form, read in ((Form.JSON, json.loads), (Form.YAML, yaml.safe_load)):
        if character == "\ud800" and form is Form.YAML:
            continue  # YAML has no half characters, and no answer holds one
        Printer(form).data({"name": text, "other": "é\n"})
        printed = capsys.readouterr().out
        assert character not in printed
        assert read(printed) == {"name": text, "other": "é\n"}


def test_letters_of_all_scripts_and_emoji_stay():
    for text in ("Zürich", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "\U0001f469\u200d\U0001f52c"):
        assert plain(text) == text


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_column_that_is_not_there_is_told_before_anything_is_sent(tmp_path, kind):
    file = tmp_path / f"table.{kind}"
    file.write_bytes(parquet(table()) if kind == "parquet" else b'id,at,"the, delay"\n1,2,3\n')
    require_columns(file, {"--event-time": "at", "--label-column": None}, ["id"])
    with pytest.raises(typer.BadParameter, match=r"--key: table\.\w+ has no column 'nothing'; it has id, "):
        require_columns(file, {"--event-time": "at"}, ["id", "nothing"])


@pytest.mark.parametrize(
    "content", [b"", b"id;at\n1;2\n", b"\xff\xfe", b"id,at", b'"a,\nb",c\n', b"PAR1 no more"]
)
def test_where_only_the_server_knows_the_columns_nothing_is_refused(tmp_path, content):
    file = tmp_path / "table"
    file.write_bytes(content)
    assert columns_of(file) is None
    require_columns(file, {"--event-time": "nothing"}, [])


@pytest.mark.parametrize("name", [b"a\x1bb", "a\u202eb".encode(), b"a\xffb", b"a\\b", b"a\nb"])
def test_a_file_with_an_odd_name_is_named(tmp_path, name):
    import os

    (tmp_path / "MLmodel").write_text("flavors: {}\n")
    with open(os.path.join(os.fsencode(tmp_path), name), "w"):
        pass
    with pytest.raises(ControlPlaneError) as refused:
        files_of(tmp_path)
    assert ascii(os.fsdecode(name)) in refused.value.detail
    assert refused.value.detail.isprintable()
