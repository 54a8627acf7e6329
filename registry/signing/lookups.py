"""Finding keys, for those who may see them."""

import uuid

from core.actors import Actor
from core.errors import NotAllowed, NotFound
from registry.signing.models import TrustedKey


def require_key_sight(actor: Actor) -> None:
    """Which keys are trusted is for those who decide it and those who audit."""
    if not (actor.holds_everywhere("administer") or actor.holds_everywhere("audit")):
        raise NotAllowed("You may not see the signing keys; it needs the right to administer or to audit.")


def find_key(actor: Actor, pk: uuid.UUID) -> TrustedKey:
    require_key_sight(actor)
    key = TrustedKey.objects.filter(pk=pk).first()
    if key is None:
        raise NotFound("There is no such signing key.")
    return key
