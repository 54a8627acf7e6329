"""Rows under lock, always in the same order."""

from approvals.models import PromotionRequest


def locked_request(promotion: PromotionRequest) -> PromotionRequest:
    """The request as it is now, until the transaction ends."""
    return (
        PromotionRequest.objects.select_for_update(of=("self",))
        .select_related(
            "version__model",
            "version__created_by",
            "champion",
            "environment",
            "policy_revision__policy",
            "requested_by__person",
            "evaluation",
        )
        .get(pk=promotion.pk)
    )
