"""Who was granted what on which registered model."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.grants import AccountGrant, GroupGrant
from accounts.models import Account, Person
from accounts.roles import ROLES


class ModelAccountGrant(AccountGrant):
    """A right on one registered model, given to a person."""

    content_object = models.ForeignKey(
        "registry.RegisteredModel", on_delete=models.CASCADE, db_index=False, related_name="account_grants"
    )

    class Meta(AccountGrant.Meta):
        indexes = [models.Index(fields=["content_object", "permission"], name="account_grants_of_model")]

    def __str__(self) -> str:
        return f"{self.permission.codename} on {self.content_object} to {self.user}"


class ModelGroupGrant(GroupGrant):
    """A right on one registered model, given to a group."""

    ON = "model"

    content_object = models.ForeignKey(
        "registry.RegisteredModel", on_delete=models.CASCADE, db_index=False, related_name="group_grants"
    )

    class Meta(GroupGrant.Meta):
        indexes = [models.Index(fields=["content_object", "permission"], name="group_grants_of_model")]

    def __str__(self) -> str:
        return f"{self.permission.codename} on {self.content_object} to {self.group}"


def people_who_see(model: models.Model) -> models.QuerySet[Person]:
    """People with an active account who may see the model, by role or by grant; services are left out."""
    seeing = [role for role, rights in ROLES.items() if "view" in rights]
    granted = {"permission__codename": "view", "content_object": model.pk}
    live = Q(expires_at__isnull=True) | Q(expires_at__gt=Now())
    accounts = Account.objects.filter(
        Q(groups__name__in=seeing)
        | Q(pk__in=ModelAccountGrant.objects.filter(live, **granted).values("user_id"))
        | Q(groups__in=ModelGroupGrant.objects.filter(live, **granted).values("group_id")),
        is_active=True,
    )
    return Person.objects.filter(kind=Person.Kind.PERSON, accounts__in=accounts).distinct().order_by("name")


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
