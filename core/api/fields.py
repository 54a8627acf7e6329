"""Fields of REST bodies that take what was meant and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers


class TextField(serializers.CharField):
    """Text and only text: a number is not silently spelled out."""

    default_error_messages = {"invalid": "Must be text."}

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return str(super().to_internal_value(data))


class Body(serializers.Serializer[Any]):
    """What a caller sends: a field that is not known is refused by name, never ignored."""

    default_error_messages = {"unknown": "This field is not known here; known are: {known}."}

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            known = [name for name, field in self.fields.items() if not field.read_only]
            if unknown := sorted(str(name)[:60] for name in data.keys() - set(known)):
                words = self.error_messages["unknown"].format(known=", ".join(known))
                raise serializers.ValidationError({name: [words] for name in unknown}, code="unknown")
        return super().to_internal_value(data)
