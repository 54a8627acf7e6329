"""What a policy, or a request under way, holds against a version before anybody decides."""

from __future__ import annotations

from approvals import services
from approvals.evidence import gathered
from approvals.failing import MOST_NAMED, failing_gates, in_words
from approvals.gates import FAILED, Result, judge
from approvals.models import Policy, PromotionRequest
from core.actors import Actor
from deployments.models import Environment
from registry.answers import Answer
from registry.models import ALWAYS_PROTECTED, ModelVersion

# Gates whose evidence is there before an evaluation.
FOREKNOWN = {"data_contract", "holdout_kind", "schema_compatible", "scan", "signature"}
UNCHECKED = (
    "Every data set version behind it must have been checked against a contract, and hold. Write a contract"
    " on the page of the data set: its versions are checked then."
)


def obstacles_of(actor: Actor, version: ModelVersion) -> list[Answer]:
    """Where the champion lives: gates of the open request that fail, else those that would."""
    environment = Environment.objects.filter(alias__in=ALWAYS_PROTECTED).first()
    if environment is None:
        return []
    champion = services.champion_in(version, environment)
    if champion is not None and champion.pk == version.pk:
        return []
    requests = (
        PromotionRequest.objects.visible_to(actor)
        .under_way()
        .defer("evidence")
        .select_related("environment", "evaluation")
    )
    asked = requests.filter(version=version, environment=environment).first()
    if asked is not None and not asked.is_evaluating:
        return _of_request(asked)
    return _of_policy(version, environment, champion)


def _of_request(asked: PromotionRequest) -> list[Answer]:
    if not (titles := failing_gates([asked])[asked.pk]):
        return []
    detail = f"Nobody can approve its promotion to {asked.environment} while they do."
    if len(titles) > MOST_NAMED:
        detail = f"{detail} All: {', '.join(titles)}."
    return [_obstacle(in_words(titles), detail, asked.address, "The request")]


def _of_policy(
    version: ModelVersion, environment: Environment, champion: ModelVersion | None
) -> list[Answer]:
    revision = Policy.objects.in_force(environment, version.model.tier)
    if revision is None:
        detail = "Without one it takes no promotions. An admin can add it."
        return [_obstacle(f"{environment} has no policy for its risk tier", detail)]
    gates = [gate for gate in revision.rules.gates if gate["type"] in FOREKNOWN and gate["mode"] == "block"]
    if not gates:
        return []
    evidence = gathered(PromotionRequest(version=version, champion=champion))
    return [_of_gate(result, environment) for result in judge(gates, evidence) if result.outcome == FAILED]


def _of_gate(result: Result, environment: Environment) -> Answer:
    """What a gate saw of data may name data sets that the reader may not see."""
    if result.type == "data_contract":
        return _obstacle(f"{environment} demands data that was checked", UNCHECKED)
    return _obstacle(f"{environment} forbids it: {result.title}", f"{result.observed}; rule: {result.rule}.")


def _obstacle(title: str, detail: str, address: str = "", link: str = "") -> Answer:
    return Answer("bad", "circle-x", title, detail, address, link, forbids=True)
