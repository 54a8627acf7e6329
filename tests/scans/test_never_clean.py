"""However a pickle is dressed, it never becomes clean, and nothing is ever unpickled."""

import bz2
import functools
import gzip
import io
import json
import lzma
import os
import pickle
import zipfile

import joblib
import numpy as np
import pytest

from registry.scans.compute import layers
from registry.scans.compute.scanning import SCANNERS, described_files
from registry.scans.verdicts import verdict_of
from tests.registry.test_unsafe_formats import Touches, array, safetensors, zipped

MLMODEL = "flavors:\n  python_function:\n    loader_module: mlflow.pyfunc.model\n"


@pytest.fixture
def mark(tmp_path):
    path = tmp_path / "mark"
    yield path
    assert not path.exists(), "something was unpickled"


@pytest.fixture
def judged(tmp_path):
    """``judged({"model.pkl": b"…"})``: verdict and reports, scanned in this process."""

    def judge(files, mlmodel=MLMODEL):
        folder = tmp_path / "model"
        described = {"MLmodel": mlmodel.encode()} if mlmodel else {}
        for name, content in {**described, **files}.items():
            place = folder / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
        found = described_files(folder)
        reports = [json.loads(json.dumps(scan(folder, found))) for scan in SCANNERS.values()]
        return verdict_of(found, reports), reports

    return judge


class Runs:
    """A pickle that would run a command."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return os.system, (f"touch {self.mark}",)


class Indirect:
    """Reaches its call through names that block-lists may not know."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return functools.partial, (functools.partial(open, self.mark, "w"),)


def joblib_bytes(value, **options):
    target = io.BytesIO()
    joblib.dump(value, target, **options)
    return target.getvalue()


def npz(data):
    return zipped(**{"x_dot_npy": data})


FORMS = {
    "plain": lambda evil: ("model.pkl", pickle.dumps(evil)),
    "of protocol 0": lambda evil: ("model.pkl", pickle.dumps(evil, protocol=0)),
    "renamed to JSON": lambda evil: ("model.json", pickle.dumps(evil)),
    "renamed to safetensors": lambda evil: ("model.safetensors", pickle.dumps(evil)),
    "without an ending": lambda evil: ("model", pickle.dumps(evil, protocol=0)),
    "zipped": lambda evil: ("model.zip", zipped(a_dot_pkl=pickle.dumps(evil))),
    "zipped under another name": lambda evil: ("weights.bin", zipped(a=pickle.dumps(evil))),
    "zipped twice": lambda evil: ("model.zip", zipped(a_dot_zip=zipped(b_dot_pkl=pickle.dumps(evil)))),
    "compressed by joblib": lambda evil: ("model.joblib", joblib_bytes(evil, compress=("zlib", 3))),
    "compressed by joblib with lzma": lambda evil: ("model.joblib", joblib_bytes(evil, compress=("lzma", 3))),
    "gzipped": lambda evil: ("model.pkl.gz", gzip.compress(pickle.dumps(evil))),
    "bzipped and renamed": lambda evil: ("model.onnx", bz2.compress(pickle.dumps(evil))),
    "xz in a zip": lambda evil: ("m.zip", zipped(a=lzma.compress(pickle.dumps(evil)))),
    "inside an array": lambda evil: ("x.npy", array(np.array([evil], dtype=object), allow_pickle=True)),
    "inside an archive of arrays": lambda evil: (
        "x.npz",
        npz(array(np.array([evil], dtype=object), allow_pickle=True)),
    ),
    "behind a file that looks safe": lambda evil: ("m.txt", b"tree\n" + zipped(a=pickle.dumps(evil))),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_dangerous_pickle_is_found_in_every_form(form, mark, judged):
    name, content = FORMS[form](Runs(str(mark)))
    verdict, reports = judged({name: content})
    assert verdict != "clean"
    assert verdict == "dangerous", reports
    found = reports[0]["findings"]
    assert any(each["what"].endswith(".system") and each["path"] == name for each in found), found


def test_a_call_that_scanners_do_not_know_is_still_not_clean(mark, judged):
    """``open`` is pickled as ``io.open``, which neither scanner calls dangerous."""
    assert judged({"model.pkl": pickle.dumps(Touches(str(mark)))})[0] == "unproven"
    assert judged({"model.pkl": pickle.dumps(Indirect(str(mark)))})[0] == "dangerous"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("model.pkl", pickle.dumps({"a": 1})[:-1]),
        ("model.pkl", b""),
        ("model.pkl", b"\x80\x04garbage"),
        ("model.zip", b"PK\x03\x04 broken"),
        ("model.zst", b"\x28\xb5\x2f\xfd" + b"x" * 50),
        ("model.7z", b"7z\xbc\xaf\x27\x1c" + b"x" * 50),
        ("weights.h5", b"\x89HDF\r\n\x1a\n" + b"x" * 50),
        ("library.so", b"\x7fELF" + b"x" * 50),
        ("old.joblib", joblib_bytes(np.arange(1000.0))),
    ],
)
def test_what_cannot_be_read_to_the_end_is_not_clean(name, content, judged):
    verdict, _ = judged({name: content})
    assert verdict in {"unscannable", "unproven", "failed"}
    if content:
        assert verdict != "unproven"


def test_a_bomb_is_given_up_and_not_clean(judged, monkeypatch):
    monkeypatch.setattr(layers, "MOST_BYTES", 1 << 20)
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(8 << 20))
    verdict, reports = judged({"model.zip": bomb.getvalue()})
    assert verdict == "unscannable"
    assert "unpacks to more than" in reports[0]["partly"][0]["why"]


def test_too_many_entries_are_given_up_before_the_first_is_opened(monkeypatch):
    content = zipped(**{f"a{index}": b"x" for index in range(51)})
    monkeypatch.setattr(layers, "MOST_ENTRIES", 50)
    opened = []
    monkeypatch.setattr(
        zipfile.ZipFile, "open", lambda self, entry, *rest, **named: opened.append(entry) or io.BytesIO(b"x")
    )
    many = layers.Budget()
    with pytest.raises(layers.Unreadable, match="entries"):
        list(layers._entries("m.zip", content, many))
    assert opened == []


def test_packed_without_end_is_given_up(judged):
    content = b"x"
    for _ in range(8):
        content = zipped(a=content)
    assert judged({"model.zip": content})[0] == "unscannable"


def test_a_plain_pickle_without_findings_is_unproven_and_a_safe_format_clean(judged):
    assert judged({"model.pkl": pickle.dumps({"weights": [1.0, 2.0]})})[0] == "unproven"


def test_formats_that_run_no_code_are_clean(judged):
    files = {
        "model.safetensors": safetensors(),
        "requirements.txt": b"numpy==2.4\n",
        "conda.yaml": b"channels:\n- conda-forge\n",
        "input_example.json": b'{"columns": ["a"]}',
    }
    verdict, reports = judged(files, "flavors:\n  transformers: {}\n")
    assert verdict == "clean", reports


def test_a_prompt_is_a_text_that_runs_nothing(judged):
    assert judged({"prompt.json": b'{"mlflow.prompt.text":"Hi {{name}}"}'}, mlmodel="")[0] == "clean"
    assert judged({"prompt.json": b"{}", "more.pkl": pickle.dumps(1)}, mlmodel="")[0] != "clean"


@pytest.mark.parametrize(
    "mlmodel",
    [
        "flavors:\n  python_function:\n    loader_module: mine\n",
        "flavors:\n  python_function:\n    loader_module: mlflow.sklearn\n    code: code\n",
        "flavors:\n  sklearn:\n    serialization_format: skops\n    skops_trusted_types: [os.system]\n",
        "flavors:\n  python_function:\n    loader_module: mlflow.x\n    data: requirements.txt\n",
    ],
)
def test_a_safe_file_does_not_make_a_flavour_that_runs_code_clean(mlmodel, judged):
    files = {"model.safetensors": safetensors(), "requirements.txt": b"\x80\x04N."}
    assert judged(files, mlmodel)[0] != "clean"


def test_a_scanner_that_failed_or_none_at_all_is_not_clean():
    safe = [{"path": "m.safetensors", "format": "safetensors", "is_safe": True}]
    fine = {"scanner": "a", "version": "1", "findings": [], "scanned": [], "partly": [], "error": ""}
    assert verdict_of(safe, [fine]) == "clean"
    assert verdict_of(safe, [fine, {**fine, "error": "stopped"}]) == "failed"
    assert verdict_of(safe, []) == "failed"
    assert verdict_of([], [fine]) == "unproven"
