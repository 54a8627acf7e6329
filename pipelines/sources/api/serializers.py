"""What REST says of sources, and what it takes."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from core.api.fields import Body, TextField
from pipelines.sources.models import Source, SourceAccountGrant, SourceGroupGrant

PLACE = ("endpoint", "bucket", "prefix", "region", "addressing", "credentials")


class SourceSerializer(serializers.ModelSerializer):
    """Where a source is, is shown to those who administer or audit; its keys to nobody."""

    created_by = serializers.CharField(source="created_by.username", default=None, allow_null=True)

    class Meta:
        model = Source
        fields = ("name", "kind", "description", *PLACE, "created_by", "created_at")

    def to_representation(self, source: Source) -> dict[str, Any]:
        told: dict[str, Any] = super().to_representation(source)
        if not self.context.get("shows_places"):
            told |= dict.fromkeys(PLACE, "")
        return told


class NewSourceSerializer(Body):
    name = TextField(max_length=1000, help_text="Of a database: as in its environment variable.")
    kind = serializers.ChoiceField(choices=Source.Kind.choices)
    description = TextField(max_length=10_000, required=False, allow_blank=True, default="")
    endpoint = TextField(
        max_length=1000,
        required=False,
        allow_blank=True,
        default="",
        help_text="https://host of a host in S3_SOURCE_ALLOWED_HOSTS.",
    )
    bucket = TextField(max_length=1000, required=False, allow_blank=True, default="")
    prefix = TextField(max_length=10_000, required=False, allow_blank=True, default="")
    region = TextField(max_length=1000, required=False, default="us-east-1")
    addressing = serializers.ChoiceField(choices=Source.Addressing.choices, required=False, default="path")
    credentials = TextField(
        max_length=63,
        required=False,
        allow_blank=True,
        default="",
        help_text="The name of keys in the environment (S3_SOURCE_KEYS_<NAME>); empty: unsigned.",
    )


class SourceReasonSerializer(Body):
    reason = TextField(max_length=1000)


class SourceHolderSerializer(Body):
    """An account or a group."""

    account = TextField(required=False)
    group = TextField(required=False)
    reason = TextField(max_length=1000)


class NewSourceGrantSerializer(SourceHolderSerializer):
    expires_at = serializers.DateTimeField(required=False, allow_null=True)


class SourceGrantSerializer(serializers.Serializer):
    """For the document: ``described`` makes it."""

    source = TextField()
    account = TextField(allow_null=True)
    group = TextField(allow_null=True)
    granted_by = TextField(allow_null=True)
    granted_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)
    reason = TextField(allow_blank=True)


def described(grant: SourceAccountGrant | SourceGroupGrant) -> dict[str, Any]:
    """A grant as JSON."""
    return {
        "source": grant.content_object.name,
        "account": grant.user.username if isinstance(grant, SourceAccountGrant) else None,
        "group": grant.group.name if isinstance(grant, SourceGroupGrant) else None,
        "granted_by": grant.granted_by.username if grant.granted_by else None,
        "granted_at": grant.granted_at,
        "expires_at": grant.expires_at,
        "reason": grant.reason,
    }
