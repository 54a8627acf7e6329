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

SKOPS = {
    "python_function": {"loader_module": "mlflow.sklearn"},
    "sklearn": {"serialization_format": "skops"},
}


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
    flavours = flavours or SKOPS
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
    ("flavour", "name", "content"),
    [
        ("transformers", "model.safetensors", safetensors()),
        ("sklearn", "model.skops", zipped(schema_dot_json="{}", w_dot_npy=array(np.zeros(3)))),
        ("xgboost", "model.json", b'{"learner": {}}'),
        ("xgboost", "model.ubj", b"{L\x00\x00"),
        ("lightgbm", "model.txt", b"tree\nversion=v4\n"),
        ("catboost", "model.cbm", b"CBM1...."),
        ("onnx", "model.onnx", b"\x08\x0a\x12"),
    ],
)
def test_a_format_that_its_loader_reads_safely_is_clean(flavour, name, content):
    flavours = {
        "python_function": {"loader_module": f"mlflow.{flavour}"},
        flavour: {"serialization_format": "skops"},
    }
    assert judged({"MLmodel": b"", name: content}, flavours) == ""
    for other in {"catboost", "sklearn", "pyfunc.model"} - {flavour}:
        assert judged({"MLmodel": b"", name: content}, {**flavours, other: {}}), other


def catboost_that_is_a_pickle():
    """Read as a pickle, the format's first bytes are one short text of 66 bytes."""
    return b"CBM1" + b"M" * 64 + b"0N."


def safetensors_that_is_a_pickle():
    """Its length is the pickle's protocol and the start of a number; the rest stands in a JSON key."""
    length = 0x470480
    header = b'{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}'
    return length.to_bytes(8, "little") + header.ljust(length)


@pytest.mark.parametrize(
    ("name", "content"),
    [("m.cbm", catboost_that_is_a_pickle()), ("m.safetensors", safetensors_that_is_a_pickle())],
)
def test_a_file_of_two_formats_is_judged_by_who_loads_it(name, content):
    loader = {"loader_module": "mlflow.sklearn", "model_path": name}
    for settings in ({"pickled_model": name}, {"pickled_model": name, "serialization_format": "skops"}):
        assert judged({"MLmodel": b"", name: content}, {"python_function": loader, "sklearn": settings})
    assert judged({"MLmodel": b"", name: content}, {"python_function": loader})
    assert judged({"MLmodel": b"", name: content}, {"catboost": {}, "sklearn": {"pickled_model": name}})


@pytest.mark.parametrize("rest", [b"tail", b"\x80\x04N."])
def test_safetensors_holds_the_bytes_of_its_tensors_and_no_others(rest):
    assert judged({"MLmodel": b"", "m.safetensors": safetensors() + rest}, {"transformers": {}})


@pytest.mark.parametrize("trusted", ["os.system", "builtins.eval", "numpy.testing.runstring", "pandas.eval"])
def test_a_model_may_not_have_itself_trusted(trusted):
    files = {"MLmodel": b"", "m.skops": zipped(schema_dot_json="{}")}
    settings = {"serialization_format": "skops", "skops_trusted_types": [trusted]}
    assert trusted in judged(files, {"sklearn": settings})
    settings["skops_trusted_types"] = ["sklearn.tree._tree.Tree", "numpy.dtype"]
    assert judged(files, {"sklearn": settings}) == ""


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
    flavours = SKOPS | {
        "python_function": {"loader_module": "mlflow.sklearn", "model_path": "./requirements.txt"}
    }
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
