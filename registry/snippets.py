"""How to get this very version into a notebook, a script or a folder."""

from __future__ import annotations

from collections.abc import Sequence
from shlex import quote

from django.conf import settings

from core.snippets import Snippet, curl, environment, in_path
from registry.models import ModelVersion
from registry.tracked import Run


def of_version(version: ModelVersion) -> list[Snippet]:
    """By the unchanged MLflow client, by cplane and by REST; nothing for what cannot be loaded."""
    if not version.is_ready or not version.is_intact:
        return []
    name, number = version.model.name, version.number
    address = f"/api/v1/models/{in_path(name)}/versions/{number}"
    return [
        Snippet("MLflow client", _load(version)),
        Snippet(
            "cplane",
            f"{environment('CPLANE_URL', 'CPLANE_TOKEN')}\n\n"
            f"cplane versions show {quote(name)} {number}\n"
            f"cplane versions download {quote(name)} {number} --directory {quote(f'{name}-v{number}')}",
        ),
        Snippet(
            "REST",
            f"{environment('CPLANE_TOKEN')}\n\n{curl(address)}\n{curl(f'{address}/files')}",
        ),
    ]


def of_first_version(name: str) -> str:
    """How an unchanged MLflow client registers the first version of a model."""
    return (
        f"{_mlflow()}\n\n"
        "import mlflow\n"
        f'mlflow.sklearn.log_model(model, name="model", registered_model_name={_text(name)})'
    )


def of_prompt(version: ModelVersion, variables: Sequence[str], aliases: Sequence[str]) -> list[Snippet]:
    """By number, by each alias, and by REST; nothing for what cannot be loaded."""
    if not version.is_ready or not version.is_intact:
        return []
    name, number = version.model.name, version.number
    by_number = _load_prompt(f"prompts:/{name}/{number}", variables)
    by_alias = [
        Snippet(f"By alias, {alias}", _load_prompt(f"prompts:/{name}@{alias}", variables))
        for alias in aliases[:5]
    ]
    address = curl(f"/api/v1/models/{in_path(name)}/versions/{number}")
    return [
        Snippet("MLflow client", by_number),
        *by_alias,
        Snippet("REST", f"{environment('CPLANE_TOKEN')}\n\n{address}"),
    ]


def of_first_prompt(name: str) -> str:
    """How an unchanged MLflow client registers the first version of a prompt."""
    return (
        f"{_mlflow()}\n\n"
        "import mlflow\n"
        f'mlflow.genai.register_prompt({_text(name)}, "Say why {{{{ flight }}}} is late.")'
    )


def of_run(run: Run) -> list[Snippet]:
    """How to register what a run logged; nothing where that is not known to be a model."""
    if run.is_deleted or not run.logged_models:
        return []
    address = f'mlflow.set_tracking_uri("{settings.PUBLIC_URL}")'
    return [
        Snippet(
            f"MLflow client, {model_id}",
            f"import mlflow  # with your token in MLFLOW_TRACKING_TOKEN\n\n{address}\n"
            f'mlflow.register_model({_text(f"models:/{model_id}")}, "my-model")',
        )
        for model_id in run.logged_models[:5]
    ]


def of_restoring(run: Run) -> list[Snippet]:
    """How its maker brings a deleted run back."""
    if not run.is_deleted:
        return []
    return [
        Snippet(
            "MLflow client",
            "import mlflow  # with your token in MLFLOW_TRACKING_TOKEN\n\n"
            f'mlflow.set_tracking_uri("{settings.PUBLIC_URL}")\n'
            f"mlflow.MlflowClient().restore_run({_text(run.id)})",
        )
    ]


def _load_prompt(uri: str, variables: Sequence[str]) -> str:
    """With the call that fills in its variables; names with dots are no Python names."""
    given = ", ".join(f'{name}="…"' for name in variables)
    if not all(name.isidentifier() for name in variables):
        given = "**{" + ", ".join(f'{_text(name)}: "…"' for name in variables) + "}"
    return (
        "import mlflow  # with your token in MLFLOW_TRACKING_TOKEN\n\n"
        f'mlflow.set_tracking_uri("{settings.PUBLIC_URL}")\n'
        f"prompt = mlflow.genai.load_prompt({_text(uri)})\n"
        f"prompt.format({given})"
    )


def _mlflow() -> str:
    return environment("MLFLOW_TRACKING_URI", "MLFLOW_TRACKING_TOKEN")


def _load(version: ModelVersion) -> str:
    """The flavour that every model with a Python function has, else the first it names, else its files."""
    uri = _text(f"models:/{version.model.name}/{version.number}")
    is_function = "python_function" in version.flavours
    load = (
        f"model = mlflow.pyfunc.load_model({uri})"
        if is_function
        else f"folder = mlflow.artifacts.download_artifacts({uri})"
    )
    address = f'mlflow.set_tracking_uri("{settings.PUBLIC_URL}")'
    return f"import mlflow  # with your token in MLFLOW_TRACKING_TOKEN\n\n{address}\n{load}"


def _text(value: str) -> str:
    """A Python string in double quotes."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
