"""Rules about the code itself."""

import ast
import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from core.statuses import LOOKS

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = [
    "accounts",
    "audit",
    "pipelines",
    "registry",
    "deployments",
    "monitoring",
    "approvals",
    "workspace",
]
INLINE = re.compile(r"<style|<script(?![^>]*\bsrc=)[^>]*>|\sstyle=|\son[a-z]+=", re.IGNORECASE)
OPEN_TO_ALL = {
    "/",
    "/login/",
    "/logout/",
    "/healthz",
    "/readyz",
    "/metrics",
    "/version",
    "/health",
    "/docs/problems/",
}
WITHOUT_ACTOR = {"record", "record_denied", "command"}


def service_modules():
    for package in PACKAGES:
        for found in pkgutil.walk_packages([str(ROOT / package)], f"{package}."):
            parts = found.name.split(".")
            if "services" in parts and "migrations" not in parts:
                yield importlib.import_module(found.name)


def test_every_service_takes_keywords_and_the_actor_first():
    wrong = []
    for module in service_modules():
        for name, function in inspect.getmembers(module, inspect.isfunction):
            if name.startswith("_") or name in WITHOUT_ACTOR or not getattr(function, "is_command", False):
                continue
            parameters = list(inspect.signature(function).parameters.values())
            keyword_only = all(each.kind is inspect.Parameter.KEYWORD_ONLY for each in parameters)
            if not parameters or parameters[0].name != "actor" or not keyword_only:
                wrong.append(f"{module.__name__}.{name}")
    assert not wrong


def test_templates_hold_no_inline_script_style_or_handler():
    wrong = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "templates").rglob("*.html")
        if INLINE.search(path.read_text())
    ]
    assert not wrong


def test_template_tags_stand_on_one_line():
    """Django shows a tag that is broken over two lines as text."""
    wrong = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in (ROOT / "templates").rglob("*.html")
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if line.count("{%") != line.count("%}") or line.count("{{") != line.count("}}")
    ]
    assert not wrong


def test_icons_in_templates_are_in_the_sprite():
    sprite = next((ROOT / "static/vendor").glob("lucide-*.svg")).read_text()
    known = set(re.findall(r'<symbol id="([^"]+)"', sprite))
    used = {
        name
        for path in (ROOT / "templates").rglob("*.html")
        for name in re.findall(r'{% icon "([^"]+)"', path.read_text())
    } | {name for _, name, _ in LOOKS.values()}
    assert not used - known


def test_vendored_files_are_those_of_the_registry():
    done = subprocess.run(
        [sys.executable, "tools/vendor_static.py", "--check"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_plotly_in_the_browser_is_the_major_of_plotly_in_python():
    from plotly.offline import get_plotlyjs_version

    assert (ROOT / f"static/vendor/plotly-basic-{get_plotlyjs_version()}.min.js").exists()


def test_the_repository_speaks_of_the_product_alone():
    """No absolute machine path outside of what an operating system has everywhere."""
    wrong = []
    for path in ROOT.rglob("*"):
        if path.suffix not in {".py", ".md", ".html", ".toml", ".yml", ".in"} or {
            ".venv",
            "var",
            "vendor",
        } & set(path.parts):
            continue
        if re.search(r"/(home|work|Users)/[a-z]+/", path.read_text(errors="ignore")) and path != Path(
            __file__
        ):
            wrong.append(str(path.relative_to(ROOT)))
    assert not wrong


def addresses(resolver=None, prefix="/"):
    for entry in (resolver or get_resolver()).url_patterns:
        route = prefix + str(entry.pattern).lstrip("^").rstrip("$")
        if isinstance(entry, URLResolver):
            yield from addresses(entry, route)
        elif isinstance(entry, URLPattern):
            yield route


FILLED = {
    "uuid": "01890a5d-ac96-774b-bcce-b302099a8057",
    "int": "1",
    "str": "x",
    "path": "x",
    "slug": "x",
}


def filled(route: str) -> str:
    route = re.sub(r"<(?:(\w+):)?\w+>", lambda found: FILLED.get(found.group(1) or "str", "x"), route)
    route = re.sub(r"\(\?P<\w+>[^()]*(?:\([^()]*\)[^()]*)*\)", "x", route)
    return route.replace("\\.", ".").replace("/?", "/").replace("\\Z", "").replace("\\", "")


@pytest.mark.django_db
def test_every_address_refuses_people_who_have_not_signed_in(client):
    """Default deny: 401, 403, 404 or the sign-in page, whatever the method; never a 5xx."""
    wrong = []
    for route in sorted(set(addresses())):
        address = filled(route)
        if address in OPEN_TO_ALL or "format" in route:
            continue
        for method in ("get", "post", "delete"):
            answer = getattr(client, method)(address)
            sent_away = answer.status_code == 302 and answer.headers["Location"].startswith("/login/")
            if answer.status_code not in {401, 403, 404, 405, 415} and not sent_away:
                wrong.append((method, address, answer.status_code))
    assert not wrong


def test_only_doors_speak_http():
    wrong = []
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            relative = path.relative_to(ROOT / package)
            if {"views", "api", "management", "middleware"} & set(
                relative.parts[:-1]
            ) or "views" in path.stem:
                continue
            if path.stem in {
                "urls",
                "attempts",
                "authentication",
                "sign_in",
                "health",
                "doors",
                "downloads",
                "forms",
                "people",
                "audit_trail",
                "styleguide",
                "problems",
            }:
                continue
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.ImportFrom) and node.module in {"django.http", "django.shortcuts"}:
                    wrong.append(str(path.relative_to(ROOT)))
    assert not sorted(set(wrong))
