"""What running models costs: metered use times price rules."""

from __future__ import annotations

from django.db import models
from django.db.models import Q, Sum
from django.db.models.functions import Now

from core.actors import Actor
from core.identifiers import new_id
from registry.models import RegisteredModel


class Resource(models.TextChoices):
    """What is metered. CPU and memory come from the operating system's own accounting."""

    CPU = "cpu", "CPU"
    MEMORY = "memory", "Memory"
    STORAGE = "storage", "Storage"
    REQUESTS = "requests", "Requests"


UNITS = {
    Resource.CPU: "CPU hour",
    Resource.MEMORY: "GiB hour",
    Resource.STORAGE: "GiB month",
    Resource.REQUESTS: "1,000 requests",
}


class PriceRuleQuerySet(models.QuerySet["PriceRule"]):
    def in_force_on(self, day: object) -> dict[str, PriceRule]:
        """The rule of each resource on a day: the newest that had begun."""
        begun = self.filter(valid_from__lte=day, retired_at__isnull=True)
        return {rule.resource: rule for rule in begun.order_by("valid_from", "created_at")}


class PriceRule(models.Model):
    """What a unit of a resource costs from a day on. ``source`` says where the price is from."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    resource = models.CharField(max_length=10, choices=Resource.choices)
    price_usd = models.DecimalField(max_digits=14, decimal_places=6)
    valid_from = models.DateField()
    source = models.CharField(max_length=300)
    is_default = models.BooleanField(default=False)
    rev = models.PositiveIntegerField(default=1)
    created_by_name = models.CharField(max_length=150, blank=True, default="")
    created_at = models.DateTimeField(db_default=Now())
    retired_at = models.DateTimeField(null=True)

    objects = PriceRuleQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(condition=Q(price_usd__gte=0), name="prices_are_not_negative"),
            models.UniqueConstraint(
                fields=["resource", "valid_from"],
                condition=Q(retired_at__isnull=True),
                name="one_price_per_resource_and_day",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_resource_display()} at {self.price_usd.normalize():f} USD per {self.unit}"

    @property
    def unit(self) -> str:
        return UNITS[Resource(self.resource)]


class CostEntryQuerySet(models.QuerySet["CostEntry"]):
    def visible_to(self, actor: Actor) -> CostEntryQuerySet:
        """Costs of models the actor may see; what no model caused, for those who see everything."""
        if actor.holds_everywhere("view"):
            return self.filter(Q(model__isnull=True) | Q(model__deleted_at__isnull=True))
        return self.filter(model__in=RegisteredModel.objects.visible_to(actor))

    def by_day_and_model(self) -> CostEntryQuerySet:
        return self.values("day", "model_id", "model__name").annotate(usd=Sum("amount_usd")).order_by("day")


class CostEntry(models.Model):
    """A day's use of one resource by one activity of one model, priced.

    Computing a day again replaces its entries. ``quantity`` is in the rule's unit.
    """

    class Activity(models.TextChoices):
        SERVING = "serving", "Serving"
        SHADOW = "shadow", "Serving in shadow"
        JOBS = "jobs", "Jobs"
        STORAGE = "storage", "Artifacts"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    day = models.DateField()
    model = models.ForeignKey(
        "registry.RegisteredModel", on_delete=models.CASCADE, null=True, related_name="+"
    )
    version = models.ForeignKey(
        "registry.ModelVersion", on_delete=models.CASCADE, null=True, related_name="+"
    )
    activity = models.CharField(max_length=10, choices=Activity.choices)
    detail = models.CharField(max_length=100, blank=True, default="")
    resource = models.CharField(max_length=10, choices=Resource.choices)
    quantity = models.DecimalField(max_digits=20, decimal_places=8)
    price_usd = models.DecimalField(max_digits=14, decimal_places=6)
    amount_usd = models.DecimalField(max_digits=18, decimal_places=8)
    rule = models.ForeignKey(PriceRule, on_delete=models.PROTECT, related_name="entries")
    computed_at = models.DateTimeField(db_default=Now())

    objects = CostEntryQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["day", "model", "version", "activity", "detail", "resource"],
                name="one_cost_per_day_and_use",
                nulls_distinct=False,
            )
        ]
        indexes = [models.Index("model", "day", name="costs_of_model")]

    def __str__(self) -> str:
        return f"{self.amount_usd} USD on {self.day}"
