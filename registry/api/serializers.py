"""Registered models and versions as JSON; writing goes through the services alone."""

from typing import Any

from rest_framework import serializers

from accounts.models import Account, Person
from core.api.fields import Body, TextField
from registry.models import ModelAlias, ModelVersion, RegisteredModel
from registry.names import LONGEST_NAME
from registry.sources import LONGEST_SOURCE


class PersonSerializer(serializers.ModelSerializer):
    class Meta:
        model = Person
        fields = ("id", "name")


class TagsField(serializers.DictField):
    """Tags as one object from key to value."""

    child = TextField(allow_blank=True, trim_whitespace=False, max_length=100_000)

    def to_representation(self, value: Any) -> dict[str, str]:
        return {tag.key: tag.value for tag in value.all()}


class AccountByName(serializers.CharField):
    """The person behind an account's name; looked up only for those who ``may_name_people``.

    The others are refused by the service, and learn from no answer who has an account.
    """

    default_error_messages = {"null_characters_not_allowed": "Null characters are not allowed."}

    def to_internal_value(self, data: Any) -> Any:
        name = super().to_internal_value(data)
        if "\x00" in name:  # the checks of characters come after this method
            self.fail("null_characters_not_allowed")
        if not self.context["may_name_people"]:
            return None
        account = (
            Account.objects.filter(username__iexact=name, is_active=True).select_related("person").first()
        )
        if account is None:
            raise serializers.ValidationError(f"There is no active account named {name!r}.")
        return account.person


class RegisteredModelSerializer(serializers.ModelSerializer):
    owner = PersonSerializer(read_only=True, allow_null=True)
    on_call = PersonSerializer(read_only=True, allow_null=True)
    tags = TagsField(read_only=True)
    aliases = serializers.SerializerMethodField()
    latest_version = serializers.SerializerMethodField()
    revision = serializers.IntegerField(source="rev", read_only=True)

    class Meta:
        model = RegisteredModel
        fields = (
            "id",
            "name",
            "description",
            "owner",
            "on_call",
            "tier",
            "tags",
            "aliases",
            "latest_version",
            "revision",
            "created_at",
            "last_updated_at",
        )

    def get_aliases(self, model: RegisteredModel) -> dict[str, int]:
        return {alias.name: alias.version.number for alias in model.aliases.all()}

    def get_latest_version(self, model: RegisteredModel) -> int | None:
        return getattr(model, "latest_number", None)


class NewModelSerializer(Body):
    name = TextField(max_length=4 * LONGEST_NAME, trim_whitespace=False)
    description = TextField(required=False, allow_blank=True, trim_whitespace=False)
    tags = TagsField(required=False)
    owner = AccountByName(required=False)
    on_call = AccountByName(required=False)
    tier = serializers.ChoiceField(RegisteredModel.Tier.choices, required=False)


class ChangedModelSerializer(Body):
    name = TextField(max_length=4 * LONGEST_NAME, trim_whitespace=False, required=False)
    description = TextField(required=False, allow_blank=True, trim_whitespace=False)
    owner = AccountByName(required=False, allow_null=True)
    on_call = AccountByName(required=False, allow_null=True)
    tier = serializers.ChoiceField(RegisteredModel.Tier.choices, required=False)


class VersionInListSerializer(serializers.ModelSerializer):
    model = serializers.CharField(source="model.name", read_only=True)
    version = serializers.IntegerField(source="number", read_only=True)
    aliases = serializers.SerializerMethodField()
    tags = TagsField(read_only=True)
    created_by = serializers.CharField(source="created_by.username", read_only=True, default=None)
    revision = serializers.IntegerField(source="rev", read_only=True)

    class Meta:
        model = ModelVersion
        fields: tuple[str, ...] = (
            "id",
            "model",
            "version",
            "status",
            "status_message",
            "stage",
            "aliases",
            "tags",
            "description",
            "source",
            "run_id",
            "logged_model_id",
            "digest",
            "size",
            "file_count",
            "metrics",
            "format_warning",
            "integrity_failure",
            "created_by",
            "revision",
            "created_at",
            "last_updated_at",
            "ready_at",
            "verified_at",
        )

    def get_aliases(self, version: ModelVersion) -> list[str]:
        return sorted(alias.name for alias in version.aliases.all())


class VersionSerializer(VersionInListSerializer):
    class Meta(VersionInListSerializer.Meta):
        fields = (
            *VersionInListSerializer.Meta.fields,
            "run_link",
            "run",
            "flavours",
            "signature",
            "requirements",
            "environment",
            "parameters",
            "code_commit",
            "holdout",
        )


class NewVersionSerializer(Body):
    source = TextField(max_length=LONGEST_SOURCE, trim_whitespace=False)
    run_id = TextField(max_length=64, required=False, allow_blank=True)
    logged_model_id = TextField(max_length=64, required=False, allow_blank=True)
    run_link = TextField(max_length=2000, required=False, allow_blank=True)
    description = TextField(required=False, allow_blank=True, trim_whitespace=False)
    tags = TagsField(required=False)


class ChangedVersionSerializer(Body):
    description = TextField(allow_blank=True, trim_whitespace=False)


class FileSerializer(serializers.Serializer):
    path = TextField()
    size = serializers.IntegerField()
    sha256 = TextField()
    address = TextField()


class AliasSerializer(serializers.ModelSerializer):
    version = serializers.IntegerField(source="version.number")
    digest = serializers.CharField(source="version.digest", read_only=True)

    class Meta:
        model = ModelAlias
        fields = ("name", "version", "digest", "set_at")
        read_only_fields = ("name", "set_at")


class PointedVersionSerializer(Body):
    version = serializers.IntegerField(min_value=1, max_value=2_147_483_647)


class DeletionSerializer(Body):
    reason = TextField(required=False, allow_blank=True, max_length=1000, default="")
