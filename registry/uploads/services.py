"""Beginning an upload, adding a part, and forgetting what nobody finished."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.db.models import Sum
from django.db.models.functions import Now
from django.utils import timezone

from audit.services import command, record
from core.actors import Actor
from core.canonical import canonical_json, sha256_hex
from core.errors import Conflict, Invalid, NotAllowed
from core.object_store import StoredObject
from core.object_store.interface import DIGEST
from registry import rights
from registry.manifest import MOST_FILES, ManifestFile, listed
from registry.models import ModelVersion, RegisteredModel
from registry.sources import parse_source
from registry.storage.bytes_in_use import Allowance
from registry.uploads.models import Upload, UploadPart

PART_BYTES = 4 << 20
KEPT_FOR = timedelta(days=7)
MOST_OPEN = 20
LARGEST_FILE = 2**62
ENCODED = re.compile("%[0-9A-Fa-f]{2}")


@command
def begin_upload(*, actor: Actor, model: RegisteredModel, files: Sequence[dict[str, Any]]) -> Upload:
    """Say what will come; the same list from the same person is the upload they began before."""
    _require(actor, model)
    manifest = _checked(files)
    size, digest = sum(each["size"] for each in manifest), sha256_hex(canonical_json(manifest))
    RegisteredModel.objects.select_for_update().get(pk=model.pk)
    own = Upload.objects.open().of(actor)
    known = own.filter(model=model, digest=digest).order_by("-pk").first()
    if known is not None:
        return known
    _require_room(model, size)
    if own.count() >= MOST_OPEN:
        raise Conflict(
            f"You have {MOST_OPEN} uploads under way; finish one, or wait until they are forgotten."
        )
    upload = Upload.objects.create(
        model=model,
        files=manifest,
        digest=digest,
        size=size,
        created_by_id=actor.account_id,
        expires_at=timezone.now() + KEPT_FOR,
    )
    after = {"upload": str(upload.pk), "files": len(manifest), "size": size}
    record(actor=actor, action="registry.upload_begun", target=model, after=after)
    upload.refresh_from_db()
    return upload


@command
def add_part(*, actor: Actor, upload: Upload, file: int, start: int, part: StoredObject) -> Upload:
    """The next bytes of a file. A part that is here already is taken as it is; a gap is refused.

    No event for each: that the version was made of this upload is one.
    """
    row = Upload.objects.select_for_update().select_related("model").get(pk=upload.pk)
    if not is_wanted(actor=actor, upload=row, file=file, start=start, part=part):
        return row
    _require_room(row.model, part.size)
    UploadPart.objects.create(upload=row, file=file, start=start, size=part.size, digest=part.digest)
    row.expires_at = timezone.now() + KEPT_FOR
    row.save(update_fields=["expires_at"])
    return row


def is_wanted(*, actor: Actor, upload: Upload, file: int, start: int, part: StoredObject) -> bool:
    """Whether the part is the next one; False when it is here already, refused when it fits nowhere."""
    _require(actor, upload.model)
    if file >= len(upload.files):
        raise Invalid(
            f"The upload has {len(upload.files)} files.", field="file", allowed=len(upload.files) - 1
        )
    received, whole = upload.received()[file], upload.files[file]["size"]
    if UploadPart.objects.filter(upload=upload, file=file, start=start, digest=part.digest).exists():
        return False
    if start != received:
        raise Conflict(
            f"{received} bytes of this file are here; go on from there.",
            code="part_out_of_order",
            extra={"received": received},
        )
    if part.size == 0 or start + part.size > whole:
        raise Invalid(f"The file has {whole} bytes.", field="start", allowed=f"a part up to byte {whole}")
    return True


@command
def forget_upload(*, actor: Actor, upload: Upload) -> None:
    """Give one up, by whoever began it, or when a version was made of it."""
    is_own = upload.created_by.person_id == actor.person_id and actor.scope_allows("register")
    if not (actor.is_system or is_own):
        raise NotAllowed("Only who began an upload gives it up, with a token that may register.")
    if Upload.objects.filter(pk=upload.pk).delete()[0] and not actor.is_system:
        after = {"upload": str(upload.pk), "size": upload.size}
        record(actor=actor, action="registry.upload_given_up", target=upload.model, before=after)


@command
def forget_uploads(*, actor: Actor) -> int:
    """What nobody went on with; its bytes go when the store is next cleaned."""
    if not actor.is_system:
        raise NotAllowed("Only the installation forgets uploads.")
    gone = Upload.objects.filter(expires_at__lte=Now())
    count = gone.count()
    gone.delete()
    return count


def _checked(files: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    if not 1 <= len(files) <= MOST_FILES:
        raise Invalid(f"files must be 1 to {MOST_FILES}.", field="files", allowed=f"1 to {MOST_FILES}")
    for number, each in enumerate(files):
        if not DIGEST.match(each["sha256"]):
            allowed = "64 lower-case hexadecimal digits"
            raise Invalid(
                f"files[{number}].sha256 must be {allowed}.", field=f"files[{number}].sha256", allowed=allowed
            )
        if why := _why_not_a_name(each["path"]):
            field, allowed = f"files[{number}].path", "names as MLflow's clients can ask for them"
            raise Invalid(f"{field} holds {why}.", field=field, allowed=allowed)
    return listed(ManifestFile(each["path"], each["size"], each["sha256"]) for each in files)


def _why_not_a_name(path: str) -> str:
    """What no client could load again: MLflow's cut spaces off and undo percent-encoding."""
    if any(part != part.strip() or part.startswith("~") for part in path.split("/")):
        return "a part that begins or ends with a space, or begins with '~'"
    return "a percent sign before two hexadecimal digits" if ENCODED.search(path) else ""


def _require_room(model: RegisteredModel, size: int) -> None:
    """What was sent for the model already counts, also of uploads that nobody has finished."""
    allowance, under_way = Allowance(model), 0
    if allowance.now.quota is not None:
        going_on = Upload.objects.open().filter(model=model).exclude(pk__in=_kept_already(model))
        sent = UploadPart.objects.filter(upload__in=going_on)
        under_way = sent.aggregate(bytes=Sum("size", default=0))["bytes"]
    allowance.check(size, under_way=under_way)


def _kept_already(model: RegisteredModel) -> list[str]:
    """Uploads that versions were made of: those count as what the model keeps."""
    made = ModelVersion.objects.filter(model=model, digest__gt="", source__startswith="uploads:/")
    recent = made.filter(created_at__gt=timezone.now() - 2 * KEPT_FOR).values_list("source", flat=True)
    return [parse_source(source).owner for source in recent]


def _require(actor: Actor, model: RegisteredModel) -> None:
    if actor.account_id is None or not rights.may_register(actor, model):
        raise NotAllowed(f"You may not send files for {model}; it needs the right to register.")
