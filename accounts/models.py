"""People, their accounts, and the tokens that act for them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import Group
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower, Now

from core.actors import EVERY_SCOPE, Actor
from core.identifiers import new_id


class Person(models.Model):
    """One human, or one service: whatever they sign in with counts as them."""

    class Kind(models.TextChoices):
        PERSON = "person", "Person"
        SERVICE = "service", "Service"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=150)
    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.PERSON)
    created_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return self.name


class AccountManager(BaseUserManager["Account"]):
    def get_by_natural_key(self, username: str | None) -> Account:
        return self.get(username__iexact=username)

    def visible_to(self, actor: Actor) -> models.QuerySet[Account]:
        """Admins and auditors see everyone; others see only themselves."""
        everyone = self.get_queryset().select_related("person")
        if actor.holds_everywhere("administer") or actor.holds_everywhere("audit"):
            return everyone
        return everyone.filter(person=actor.person_id)


class Account(AbstractBaseUser):
    """A way of signing in. There are no superusers: rights come from roles and grants alone."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    username = models.CharField(max_length=150, unique=True)
    email = models.EmailField(blank=True, default="")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="accounts")
    groups = models.ManyToManyField(
        Group, through="Membership", through_fields=("account", "group"), related_name="accounts"
    )
    is_active = models.BooleanField(default=True)
    time_zone = models.CharField(max_length=64, default="UTC")
    # How often all of its sessions were ended; part of what each session is checked against.
    sessions_ended = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(db_default=Now())

    objects: ClassVar[AccountManager] = AccountManager()

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    is_superuser = False
    is_staff = False

    class Meta:
        constraints = [models.UniqueConstraint(Lower("username"), name="one_account_per_name")]

    def __str__(self) -> str:
        return self.username

    def get_session_auth_hash(self) -> str:
        return super().get_session_auth_hash() + self._ended

    def get_session_auth_fallback_hash(self) -> Iterator[str]:
        yield from (former + self._ended for former in super().get_session_auth_fallback_hash())

    @property
    def _ended(self) -> str:
        return f".{self.sessions_ended}" if self.sessions_ended else ""

    def get_full_name(self) -> str:
        return self.person.name

    def has_perm(self, perm: str, obj: object = None) -> bool:
        """Django's own permissions are not used; see core.actors.holds."""
        return False

    def has_module_perms(self, app_label: str) -> bool:
        return False


class Membership(models.Model):
    """An account has a role since a moment, given by somebody."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="memberships")
    group = models.ForeignKey(Group, on_delete=models.PROTECT)
    given_by = models.ForeignKey(Account, on_delete=models.PROTECT, null=True, related_name="+")
    given_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "group"], name="one_membership_per_role")]

    def __str__(self) -> str:
        return f"{self.account} is {self.group}"


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    def live(self) -> ApiTokenQuerySet:
        """Neither revoked nor expired, of an active account, by the database's clock."""
        return self.filter(revoked_at__isnull=True, expires_at__gt=Now(), account__is_active=True)

    def of(self, actor: Actor) -> ApiTokenQuerySet:
        return self.filter(account=actor.account_id)

    def visible_to(self, actor: Actor) -> ApiTokenQuerySet:
        """One's own, everybody's for admins; a token narrowed by scopes knows only of itself."""
        if actor.holds_everywhere("administer"):
            return self
        own = self.of(actor)
        return own if actor.scope_allows(EVERY_SCOPE) else own.filter(pk=actor.token_id)


class ApiToken(models.Model):
    """Something that acts for an account with at most these scopes, until it expires.

    Only the SHA-256 of the 256-bit secret is kept.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="tokens")
    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=12)
    secret_sha256 = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(default=list)
    purpose = models.CharField(max_length=20, default="personal")
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(expires_at__isnull=False), name="every_token_expires"),
        ]

    @property
    def may(self) -> str:
        """Its scopes as a list shows them."""
        if EVERY_SCOPE in self.scopes:
            return "every right you have"
        return ", ".join(scope.replace("_", " ") for scope in self.scopes)

    def __str__(self) -> str:
        return f"token {self.prefix}… of {self.account}"
