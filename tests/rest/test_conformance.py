"""Every answer is one that the OpenAPI document promises, whatever is sent; nothing breaks."""

import os
import uuid

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

pytestmark = pytest.mark.django_db(transaction=True)
READABLE = {"name", "number", "alias", "path", "environment", "file", "start"}
# Of two versions or revisions, which the newest data set of the world does not have.
NEED_TWO = ("/datasets/{name}/compare", "/contract/changes", "/contract/proposal")
# Receivers of events would be called, and cards are written by people: their own tests have them.
NOT_HERE = {
    "/api/v1/models/{name}/card/revisions/{number}",
    "/api/v1/webhooks/{key}",
    "/api/v1/webhooks/{webhook_key}/deliveries",
    "/api/v1/webhooks/deliveries/{key}",
}
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
# How many examples per operation; more at a desk: REST_EXAMPLES=100 pytest tests/rest
EXAMPLES = int(os.environ.get("REST_EXAMPLES", "3"))


def found_wrong(case, bearer, seen=None):
    """What an answer breaks of the document's promises, in words; None if nothing."""
    answer = case.call(headers={**(case.headers or {}), **bearer})
    if seen is not None:
        seen.append(answer.status_code)
    try:
        case.validate_response(answer, checks=CHECKS)
    except (Failure, FailureGroup) as failure:
        reasons = failure.exceptions if isinstance(failure, FailureGroup) else [failure]
        words = "; ".join(" ".join(f"{each.title}: {each.message}".split())[:500] for each in reasons)
        return f"{case.method} {case.formatted_path} {case.query} {str(case.body)[:200]}: {answer.status_code}: {words}"
    return None


def test_what_is_there_is_answered_as_the_document_says(promotion, document, client, bearer, parameters_of):
    wrong, missing = [], []
    sealed = client.get("/api/v1/audit/events?limit=200", headers=bearer).json()["items"][-1]
    needed = {
        "grants": {"model": "delays"},
        "models/{name}/compare": {"a": 1, "b": 2},
        "audit/proof/inclusion": {"event": sealed["id"]},
        "audit/proof/consistency": {"from": 1},
    }
    for result in document.get_all_operations():
        operation = result.ok()
        if operation.method != "get":
            continue
        parameters = parameters_of(operation.path)
        if parameters is None:
            missing.append(operation.path)
            continue
        query = needed.get(operation.path.removeprefix("/api/v1/"), {})
        case, seen = operation.Case(path_parameters=parameters, query=query), []
        if reason := found_wrong(case, bearer, seen):
            wrong.append(reason)
        elif seen != [200] and not operation.path.endswith(NEED_TWO):
            wrong.append(f"{operation.path}: {seen}")
    assert not wrong, "\n".join(wrong)
    assert set(missing) == NOT_HERE


@pytest.mark.timeout(600)
def test_whatever_is_sent_is_answered_as_the_document_says(
    promotion, document, bearer, parameters_of, without_log
):
    """Fitting and unfitting input to what is there, and to addresses of things that are not."""
    operations = [result.ok() for result in document.get_all_operations()]
    addressed = [(operation, parameters_of(operation.path)) for operation in operations]
    wrong = []
    for operation, there in addressed:
        wrong += attack(operation, GenerationMode.POSITIVE, there, bearer, EXAMPLES)
        wrong += attack(operation, GenerationMode.NEGATIVE, there, bearer, EXAMPLES)
        if there:
            wrong += attack(operation, GenerationMode.POSITIVE, None, bearer, max(1, EXAMPLES // 3))
    assert not wrong, "\n".join(wrong)


def attack(operation, mode, parameters, bearer, count):
    """The first few promises broken by ``count`` examples, the same ones each time."""
    wrong = []

    @settings(
        max_examples=count, derandomize=True, deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy(mode, path_parameters=parameters or None))
    def send(case):
        if reason := found_wrong(case, bearer):
            wrong.append(reason)

    try:
        send()
    except Unsatisfiable:
        assert mode is GenerationMode.NEGATIVE, operation.label
    return wrong[:3]


def test_without_credentials_every_address_is_401(document, db):
    for result in document.get_all_operations():
        operation = result.ok()
        names = [each.name for each in operation.path_parameters]
        parameters = {name: "1" if name in READABLE else str(uuid.uuid4()) for name in names}
        answer = operation.Case(path_parameters=parameters, headers={"If-Match": "*"}).call()
        assert answer.status_code == 401, operation.label
        assert answer.headers["www-authenticate"][0].startswith("Bearer")
