"""What REST says of people, groups and tokens, and what it takes."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group
from rest_framework import serializers

from accounts.models import Account, ApiToken, Membership, Person
from accounts.roles import ROLES
from core.actors import EVERY_SCOPE, RIGHTS
from core.api.fields import Body, TextField

SCOPES = (EVERY_SCOPE, *sorted(RIGHTS))


class AccountSerializer(serializers.ModelSerializer[Account]):
    account = serializers.CharField(source="username")
    person = serializers.CharField(source="person.name")
    kind = serializers.CharField(source="person.kind")
    roles = serializers.SerializerMethodField()
    groups = serializers.SerializerMethodField()

    class Meta:
        model = Account
        fields = ("account", "person", "kind", "is_active", "roles", "groups", "created_at", "last_login")

    def get_roles(self, account: Account) -> list[str]:
        return sorted(each.name for each in account.groups.all() if each.name in ROLES)

    def get_groups(self, account: Account) -> list[str]:
        return sorted(each.name for each in account.groups.all() if each.name not in ROLES)


class AccountWithPasswordSerializer(AccountSerializer):
    """The one answer that holds the password."""

    password = serializers.CharField(allow_null=True)

    class Meta(AccountSerializer.Meta):
        fields = (*AccountSerializer.Meta.fields, "password")  # type: ignore[assignment]


class NewAccountSerializer(Body):
    account = TextField(max_length=150)
    person = TextField(max_length=150, required=False, default="", allow_blank=True, help_text="Their name.")
    kind = serializers.ChoiceField(Person.Kind.values, required=False, default="person")
    role = serializers.ChoiceField(
        sorted(ROLES), required=False, allow_null=True, default=None, help_text="Not by token."
    )


class ChangedAccountSerializer(Body):
    is_active = serializers.BooleanField(required=False)
    roles = serializers.ListField(
        child=serializers.ChoiceField(sorted(ROLES)),
        max_length=len(ROLES),
        required=False,
        help_text="All they shall have. Giving one needs a browser session.",
    )
    reason = TextField(max_length=1000, required=False, allow_blank=True)


class GroupSerializer(serializers.ModelSerializer[Group]):
    member_count = serializers.IntegerField()

    class Meta:
        model = Group
        fields = ("name", "member_count")


class GroupWithGrantsSerializer(GroupSerializer):
    grants = serializers.DictField(
        child=serializers.IntegerField(),
        allow_null=True,
        help_text="How many grants go when the group goes, by what they are on; for admins and auditors.",
    )

    class Meta(GroupSerializer.Meta):
        fields = (*GroupSerializer.Meta.fields, "grants")  # type: ignore[assignment]


class NewGroupSerializer(Body):
    name = TextField(max_length=63)
    reason = TextField(max_length=1000, required=False, allow_blank=True, default="")


class ChangedGroupSerializer(Body):
    name = TextField(max_length=63, required=False)
    reason = TextField(max_length=1000, required=False, allow_blank=True, default="")


class MemberSerializer(serializers.ModelSerializer[Membership]):
    account = serializers.CharField(source="account.username")
    person = serializers.CharField(source="account.person.name")
    is_active = serializers.BooleanField(source="account.is_active")
    added_at = serializers.DateTimeField(source="given_at")

    class Meta:
        model = Membership
        fields = ("account", "person", "is_active", "added_at")


class NewMemberSerializer(Body):
    account = TextField(max_length=150)
    reason = TextField(max_length=1000, required=False, allow_blank=True, default="")


class GroupGrantSerializer(serializers.ModelSerializer[Any]):
    on = serializers.CharField(source="ON")
    name = serializers.CharField(source="content_object.name")
    right = serializers.CharField(source="permission.codename")
    granted_by = serializers.CharField(source="granted_by.username", default=None)
    granted_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)
    reason = serializers.CharField()

    class Meta:
        model = Group
        fields = ("on", "name", "right", "granted_by", "granted_at", "expires_at", "reason")


class TokenSerializer(serializers.ModelSerializer[ApiToken]):
    account = serializers.CharField(source="account.username")
    scopes = serializers.ListField(child=serializers.CharField())

    class Meta:
        model = ApiToken
        fields = (
            "id",
            "account",
            "name",
            "prefix",
            "scopes",
            "created_at",
            "expires_at",
            "revoked_at",
            "last_used_at",
        )


class TokenWithSecretSerializer(TokenSerializer):
    """The one answer that holds the secret."""

    secret = serializers.CharField(allow_null=True)

    class Meta(TokenSerializer.Meta):
        fields = (*TokenSerializer.Meta.fields, "secret")  # type: ignore[assignment]


class NewTokenSerializer(Body):
    name = TextField(max_length=100)
    scopes = serializers.ListField(child=serializers.ChoiceField(SCOPES), allow_empty=False, max_length=50)
    days = serializers.IntegerField(min_value=1, max_value=366, required=False, default=90)
