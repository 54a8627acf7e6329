"""Rows under lock, always in the same order."""

from approvals.models import PromotionRequest


def locked_request(promotion: PromotionRequest) -> PromotionRequest:
    """The request as it is now, until the transaction ends.

    Locked first and read afterwards: a statement that waits for the lock sees the row as it is
    then, but what it joins as it was before, so a new evaluation, champion or policy would be missed.
    """
    PromotionRequest.objects.select_for_update().values_list("pk").get(pk=promotion.pk)
    return PromotionRequest.objects.select_related(
        "version__model",
        "version__created_by",
        "champion",
        "environment",
        "policy_revision__policy",
        "requested_by__person",
        "evaluation",
    ).get(pk=promotion.pk)
