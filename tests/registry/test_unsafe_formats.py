"""Whatever is not known to be safe is called unsafe, however it is dressed; nothing is ever unpickled."""

import bz2
import io
import json
import pickle
import zipfile

import joblib
import numpy as np
import pytest

from registry.mlmodel import format_warning


class Touches:
    """A pickle that would leave a mark if anybody loaded it."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return open, (self.mark, "w")


def zipped(**entries):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, data in entries.items():
            archive.writestr(name.replace("_dot_", "."), data)
    return content.getvalue()


def array(values, **kwargs):
    content = io.BytesIO()
    np.save(content, values, **kwargs)
    return content.getvalue()


def judged(files, flavours=None):
    flavours = flavours or {"python_function": {"loader_module": "mlflow.sklearn"}}
    return format_warning(flavours, lambda path: io.BytesIO(files[path]), list(files))


@pytest.fixture
def evil(tmp_path):
    mark = tmp_path / "mark"
    yield pickle.dumps(Touches(str(mark)))
    assert not mark.exists()


def safetensors():
    header = json.dumps({"w": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}}).encode()
    return len(header).to_bytes(8, "little") + header


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("model.safetensors", safetensors()),
        ("model.skops", zipped(schema_dot_json="{}", w_dot_npy=array(np.zeros(3)))),
        ("model.json", b'{"learner": {}}'),
        ("model.ubj", b"{L\x00\x00"),
        ("model.txt", b"tree\nversion=v4\n"),
        ("model.cbm", b"CBM1...."),
        ("model.onnx", b"\x08\x0a\x12"),
    ],
)
def test_formats_known_to_be_safe_are_clean(name, content):
    assert judged({"MLmodel": b"", name: content}) == ""


@pytest.mark.parametrize(
    "name",
    [
        "model.pkl", "model.safetensors", "model.skops", "model.json", "model.ubj", "model.txt", "model.cbm",
        "model.onnx", "model", "README.md.pkl", "data/requirements.txt",
    ],
)  # fmt: skip
def test_a_pickle_is_unsafe_under_every_name(evil, name):
    assert name in judged({"MLmodel": b"", name: evil})


def test_a_pickle_in_the_clothes_of_a_description_is_unsafe(evil):
    flavours = {"python_function": {"loader_module": "mlflow.sklearn", "model_path": "./requirements.txt"}}
    assert "requirements.txt" in judged({"MLmodel": b"", "requirements.txt": evil}, flavours)


@pytest.mark.parametrize("wrap", ["zip", "twice", "joblib", "bz2", "npy", "npz", "schema"])
def test_a_wrapped_pickle_is_unsafe(evil, wrap, tmp_path):
    joblib.dump([1, 2], tmp_path / "m.joblib", compress=3)
    wrapped = {
        "zip": zipped(inner_dot_pkl=evil),
        "twice": zipped(inner_dot_zip=zipped(inner_dot_pkl=evil)),
        "joblib": (tmp_path / "m.joblib").read_bytes(),
        "bz2": bz2.compress(evil),
        "npy": zipped(schema_dot_json="{}", w_dot_npy=array(np.array([{}], dtype=object), allow_pickle=True)),
        "npz": zipped(schema_dot_json="{}", w_dot_npz=zipped(w_dot_npy=evil)),
        "schema": zipped(schema_dot_json="{}", inner_dot_pkl=evil),
    }[wrap]
    for name in ("model.skops", "model.zip", "model.json", "model.onnx"):
        assert judged({"MLmodel": b"", name: wrapped})


@pytest.mark.parametrize(
    "flavours",
    [
        {"python_function": {"loader_module": "mlflow.pyfunc.model", "code": "code"}},
        {"python_function": {"loader_module": "evil.loader"}},
        {"sklearn": {"serialization_format": "cloudpickle"}},
        {
            "sklearn": {"serialization_format": "pickle"},
            "python_function": {"loader_module": "mlflow.sklearn"},
        },
    ],
)
def test_flavours_that_run_code_are_unsafe(flavours):
    assert judged({"MLmodel": b"", "model.json": b"{}"}, flavours)
