"""What is registered by its path must exist: a slip would show only on the page that wants it."""

import subprocess
import sys

import pytest
from django.utils.module_loading import import_string

from controlplane.stack.processes import ROOT
from core.later import Later
from core.panels import _panels
from pipelines.impact import _loaders
from registry.downstream import _followers
from registry.health import _judges

NAMED = {
    each.path
    for each in (
        *(panel.load for panels in _panels.values() for panel in panels),
        *(load for _, load in _loaders),
        *(follower for _, follower in _followers.values()),
        *_judges.values(),
    )
    if isinstance(each, Later)
}


@pytest.mark.parametrize("path", sorted(NAMED))
def test_it_exists(path):
    assert callable(import_string(path))


def test_there_are_some():
    assert len(NAMED) > 10


LOADED = """
import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "controlplane.settings"
import django
django.setup()
print(*({"plotly", "markdown_it", "nh3", "requests", "boto3", "pandas", "numpy", "mlflow"} & set(sys.modules)))
"""


def test_a_process_without_pages_loads_nothing_that_only_pages_or_deliveries_need():
    done = subprocess.run(
        [sys.executable, "-c", LOADED], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert done.stdout.strip() == ""
