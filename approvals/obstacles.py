"""What a policy, or a request under way, holds against a version before anybody decides."""

from __future__ import annotations

from django.urls import reverse

from approvals import services
from approvals.evidence import gathered
from approvals.failing import MOST_NAMED, failing_gates, in_words
from approvals.gates import FAILED, KNOWN_CHECKS, Evidence, Result, judge
from approvals.models import Policy, PolicyRevision, PromotionRequest
from approvals.signers import shortage_for, shortage_of
from core.actors import Actor
from deployments.models import Environment
from pipelines.models import DatasetVersion
from registry.answers import Answer
from registry.data_facts import UNSEEN_DATA
from registry.models import ALWAYS_PROTECTED, ModelVersion

# Gates whose evidence is there before an evaluation.
FOREKNOWN = {"data_contract", "holdout_kind", "schema_compatible", "scan", "signature"}
UNNAMED = (
    "No version of a data set that it was trained on is known. Have the run name it in the tag"
    " controlplane.dataset_versions, or log it with MLflow under the data set's name and digest, and register"
    " the version again. Each version of a data set has the line to copy."
)
MOST_NAMES = 3


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
    return _of_policy(actor, version, environment, champion)


def _of_request(asked: PromotionRequest) -> list[Answer]:
    if not (titles := failing_gates([asked])[asked.pk]):
        return _of_signers(shortage_of(asked) if asked.status == PromotionRequest.Status.PENDING else None)
    detail = f"Nobody can approve its promotion to {asked.environment} while they do."
    if len(titles) > MOST_NAMED:
        detail = f"{detail} All: {', '.join(titles)}."
    return [_obstacle(in_words(titles), detail, asked.address, "The request")]


def _of_policy(
    actor: Actor, version: ModelVersion, environment: Environment, champion: ModelVersion | None
) -> list[Answer]:
    revision = Policy.objects.in_force(environment, version.model.tier)
    if revision is None:
        detail = "Without one it takes no promotions. An admin can add it."
        return [_obstacle(f"{environment} has no policy for its risk tier", detail)]
    return [
        *_of_gates(actor, version, environment, champion, revision),
        *_of_signers(shortage_for(actor, version, revision)),
    ]


def _of_gates(
    actor: Actor,
    version: ModelVersion,
    environment: Environment,
    champion: ModelVersion | None,
    revision: PolicyRevision,
) -> list[Answer]:
    gates = [gate for gate in revision.rules.gates if gate["type"] in FOREKNOWN and gate["mode"] == "block"]
    if not gates:
        return []
    evidence = gathered(PromotionRequest(version=version, champion=champion))
    failing = [result for result in judge(gates, evidence) if result.outcome == FAILED]
    return [
        fact
        for result in failing
        for fact in (
            _of_data(actor, evidence, environment)
            if result.type == "data_contract"
            else [_of_gate(result, environment)]
        )
    ]


def _of_signers(shortage: Answer | None) -> list[Answer]:
    return [shortage] if shortage else []


def _of_gate(result: Result, environment: Environment) -> Answer:
    return _obstacle(f"{environment} forbids it: {result.title}", f"{result.observed}; rule: {result.rule}.")


def _of_data(actor: Actor, evidence: Evidence, environment: Environment) -> list[Answer]:
    """What is there to do; data that fails or is withheld is told by the registry, and named to who may see it."""
    title = f"{environment} demands data that was checked"
    if not evidence.contracts or not evidence.is_training_known:
        return [_obstacle(title, UNNAMED, "/data/", "Data sets")]
    unchecked = [each["id"] for each in evidence.contracts if each["status"] not in KNOWN_CHECKS]
    if not unchecked:
        return []
    known = DatasetVersion.objects.visible_to(actor).filter(pk__in=unchecked).in_lists()
    seen = list(known.order_by("dataset__name", "number")[:MOST_NAMES])
    if not seen:
        return [_obstacle(title, f"A version of {UNSEEN_DATA} was not checked. {CHECKED_THEN}")]
    names = ", ".join(str(each) for each in seen)
    address = reverse("pipelines:contract", args=[seen[0].dataset.name])
    return [
        _obstacle(title, f"Not checked: {names}. {CHECKED_THEN}", address, f"Contract of {seen[0].dataset}")
    ]


CHECKED_THEN = "Versions of a data set are checked when it has a contract, and must hold."


def _obstacle(title: str, detail: str, address: str = "", link: str = "") -> Answer:
    return Answer("bad", "circle-x", title, detail, address, link, forbids=True)
