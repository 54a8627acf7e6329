"""How to read this very version of a data set, check it, and name it in a run."""

from __future__ import annotations

import json
from shlex import quote

from core.snippets import Snippet, curl, environment, in_path
from pipelines.models import DatasetVersion


def of_version(version: DatasetVersion) -> list[Snippet]:
    """By REST into a file and from it into pandas, in a run's tag, by cplane; nothing before there is content."""
    if not version.digest:
        return []
    name, number = version.dataset.name, version.number
    file = f"{name}-v{number}.parquet"
    fetch = curl(f"/api/v1/datasets/{in_path(name)}/versions/{number}/content", f"-o {quote(file)}")
    read = f'import pandas as pd\n\nrows = pd.read_parquet("{file}")\nassert len(rows) == {version.rows or 0}'
    return [
        Snippet("Download by REST", f"{environment('CPLANE_TOKEN')}\n\n{fetch}"),
        Snippet("Read it in Python", read),
        Snippet("Name it in a run", _named_in_run(name, number)),
        Snippet(
            "cplane",
            f"{environment('CPLANE_URL', 'CPLANE_TOKEN')}\n\n"
            f"cplane datasets show {quote(name)} {number}\ncplane datasets check {quote(name)} {number}",
        ),
    ]


def of_first(name: str) -> str:
    """How a table becomes the first version of a data set that is made with it."""
    return (
        f"{environment('CPLANE_URL', 'CPLANE_TOKEN')}\n\n"
        f"cplane datasets register {quote(name)} table.parquet --create --wait"
    )


def _named_in_run(name: str, number: int) -> str:
    """The tag by which a model version knows its data."""
    entry = json.dumps({"role": "training", "dataset": name, "version": number}, ensure_ascii=False)
    return (
        "import json\nimport mlflow\n\n"
        "# within the run that trains; the rows that judge the model have the role holdout\n"
        f"data = [{entry}]\n"
        'mlflow.set_tag("controlplane.dataset_versions", json.dumps(data))'
    )
