"""Who was granted what on which registered model."""

from django.db import models

from accounts.grants import AccountGrant, GroupGrant


class ModelAccountGrant(AccountGrant):
    """A right on one registered model, given to a person."""

    content_object = models.ForeignKey(
        "registry.RegisteredModel", on_delete=models.CASCADE, related_name="account_grants"
    )

    class Meta(AccountGrant.Meta):
        indexes = [models.Index(fields=["content_object", "permission"], name="account_grants_of_model")]

    def __str__(self) -> str:
        return f"{self.permission.codename} on {self.content_object} to {self.user}"


class ModelGroupGrant(GroupGrant):
    """A right on one registered model, given to a group."""

    content_object = models.ForeignKey(
        "registry.RegisteredModel", on_delete=models.CASCADE, related_name="group_grants"
    )

    class Meta(GroupGrant.Meta):
        indexes = [models.Index(fields=["content_object", "permission"], name="group_grants_of_model")]

    def __str__(self) -> str:
        return f"{self.permission.codename} on {self.content_object} to {self.group}"


def grants_on(model: models.Model) -> list[ModelAccountGrant | ModelGroupGrant]:
    """Every grant on a model, people before groups, ready to be shown."""
    related = ("permission", "granted_by", "content_object")
    to_accounts = ModelAccountGrant.objects.filter(content_object=model.pk).select_related(
        "user__person", *related
    )
    to_groups = ModelGroupGrant.objects.filter(content_object=model.pk).select_related("group", *related)
    return [
        *to_accounts.order_by("user__username", "permission__codename"),
        *to_groups.order_by("group__name", "permission__codename"),
    ]
