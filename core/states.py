"""Rows with a status that changes only by compare-and-set."""

from typing import Any, ClassVar

from django.db import models

from core.errors import Conflict


class StatefulModel(models.Model):
    """A row whose ``status`` moves along ``TRANSITIONS`` and never otherwise."""

    TRANSITIONS: ClassVar[dict[str, set[str]]] = {}

    class Meta:
        abstract = True

    def move_to(self, status: str, *, expected_rev: int | None = None, **fields: Any) -> None:
        """Change status once: a second caller who raced us gets Conflict.

        ``expected_rev`` also requires the row's ``rev`` to be the one the caller saw.
        """
        if status not in self.TRANSITIONS.get(self.status, set()):
            raise Conflict(f"{self} is {self.status}, so it cannot become {status}.")
        mine = type(self)._default_manager.filter(pk=self.pk, status=self.status)
        if expected_rev is not None:
            mine = mine.filter(rev=expected_rev)
        if not mine.update(status=status, **fields):
            raise Conflict(f"{self} has just been changed by someone else.")
        for name, value in {"status": status, **fields}.items():
            if hasattr(value, "resolve_expression"):
                # The database worked it out: read it when somebody asks, never show the expression.
                self.__dict__.pop(name, None)
            else:
                setattr(self, name, value)
