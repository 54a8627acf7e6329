"""What approvals hear from below."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from accounts.models import Account
from approvals import services
from approvals.models import GateResult, PromotionRequest
from approvals.services.requests import JUDGE
from core.actors import Actor
from core.events import on
from core.jobs import enqueue
from pipelines.models import DatasetVersion
from pipelines.services import descendants_of
from registry.models import VersionDataset

Status = PromotionRequest.Status


@on("registry.evaluation_finished")
def judge_again(body: dict[str, Any]) -> None:
    """The evaluation a request waits for has ended, well or not."""
    _enqueue_for(PromotionRequest.objects.filter(evaluation_id=body["subject_id"]))


@on("registry.integrity_broken")
def judge_after_tampering(body: dict[str, Any]) -> None:
    """Stored bytes have changed: the digest gate sees it."""
    _enqueue_for(PromotionRequest.objects.filter(version_id=body["subject_id"]))


@on("pipelines.version_quarantined")
@on("pipelines.version_released")
def judge_after_quarantine(body: dict[str, Any]) -> None:
    """Data behind a version was withheld or let go: the contract gate sees it."""
    _enqueue_for(_resting_on(body["subject_id"]))


@on("pipelines.contract_checked")
def judge_after_check(body: dict[str, Any]) -> None:
    """Data behind a version was held against a contract: the contract gate sees what came of it."""
    _enqueue_again_for(_resting_on(body["subject_id"]))


@on("registry.scan_finished")
def judge_after_scan(body: dict[str, Any]) -> None:
    """Scanners have said something of a version, or failed to: the scan gate sees it."""
    _enqueue_again_for(PromotionRequest.objects.filter(version__scans=body["subject_id"]))


@on("registry.signature_checked")
def judge_after_signature(body: dict[str, Any]) -> None:
    """A signature was found to be something else than before: the signature gate sees it."""
    _enqueue_again_for(PromotionRequest.objects.filter(version_id=body["subject_id"]))


@on("registry.key_retired")
def judge_after_key(body: dict[str, Any]) -> None:
    """What a key verified is no longer enough."""
    _enqueue_again_for(PromotionRequest.objects.filter(version__openssf_signature__key=body["subject_id"]))


@on("deployments.live", queue="deployments")
def note_live(body: dict[str, Any]) -> None:
    """The deployment of a request answers all traffic; what it replaced is superseded."""
    request = _of(body.get("reference", ""))
    if request is None:
        return
    services.note_outcome(actor=Actor.system(), promotion=request, status=Status.DEPLOYED)
    earlier = PromotionRequest.objects.filter(
        environment=request.environment, version__model=request.version.model, status=Status.DEPLOYED
    ).exclude(pk=request.pk)
    for each in earlier:
        services.note_outcome(actor=Actor.system(), promotion=each, status=Status.SUPERSEDED)


@on("deployments.failed", queue="deployments")
@on("deployments.aborted", queue="deployments")
def note_failed(body: dict[str, Any]) -> None:
    """The rollout ended badly; what was live stayed live."""
    request = _of(body.get("reference", ""))
    if request is not None:
        services.note_outcome(
            actor=Actor.system(), promotion=request, status=Status.FAILED, reason=body.get("failure", "")
        )


@on("deployments.rolled_back", queue="deployments")
def note_rolled_back(body: dict[str, Any]) -> None:
    """The version of a request was live and was taken back."""
    request = _of(body.get("former_reference", ""))
    if request is not None:
        services.note_outcome(
            actor=Actor.system(), promotion=request, status=Status.ROLLED_BACK, reason=body.get("reason", "")
        )


@on("accounts.deactivated")
def void_what_was_signed(body: dict[str, Any]) -> None:
    """Whoever is shut out has no word on what is not yet released."""
    account = Account.objects.filter(pk=body["subject_id"]).first()
    if account is not None and not account.is_active:
        why = f"{account.username} was deactivated."
        services.void_approvals_by(actor=Actor.system(), account=account, why=why)


def _resting_on(data_version: str) -> Any:
    """Requests for versions made or judged with this data, or with what was made from it."""
    data = DatasetVersion.objects.get(pk=data_version)
    behind = VersionDataset.objects.filter(dataset_version__in=[data, *descendants_of(data)])
    return PromotionRequest.objects.filter(version__in=behind.values("version"))


def _of(reference: str) -> PromotionRequest | None:
    if not reference:
        return None
    return (
        PromotionRequest.objects.select_related("version__model", "environment").filter(pk=reference).first()
    )


def _enqueue_for(requests: Any) -> None:
    waiting = requests.filter(status__in=PromotionRequest.OPEN).select_related("version__model")
    with transaction.atomic():
        for request in waiting:
            enqueue(JUDGE, subject=request, model=request.version.model)


def _enqueue_again_for(requests: Any) -> None:
    """Only what was judged before: the first judgement waits for the evaluation."""
    _enqueue_for(requests.filter(pk__in=GateResult.objects.values("promotion")))
