"""Who was granted what on which data set."""

from __future__ import annotations

from django.db import models

from accounts.grants import AccountGrant, GroupGrant


class DatasetAccountGrant(AccountGrant):
    """A right on one data set, given to a person."""

    content_object = models.ForeignKey(
        "pipelines.Dataset", on_delete=models.CASCADE, db_index=False, related_name="account_grants"
    )

    class Meta(AccountGrant.Meta):
        indexes = [models.Index(fields=["content_object", "permission"], name="account_grants_of_dataset")]

    def __str__(self) -> str:
        return f"{self.permission.codename} on {self.content_object} to {self.user}"


class DatasetGroupGrant(GroupGrant):
    """A right on one data set, given to a group."""

    ON = "data set"

    content_object = models.ForeignKey(
        "pipelines.Dataset", on_delete=models.CASCADE, db_index=False, related_name="group_grants"
    )

    class Meta(GroupGrant.Meta):
        indexes = [models.Index(fields=["content_object", "permission"], name="group_grants_of_dataset")]

    def __str__(self) -> str:
        return f"{self.permission.codename} on {self.content_object} to {self.group}"
