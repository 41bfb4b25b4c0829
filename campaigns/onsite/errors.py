"""What this room refuses."""

from django.utils.translation import gettext_lazy as _

from personalization.access.problems import ProblemError


class NotAllowed(ProblemError):
    status = 401
    slug = "unauthorized"
    title = _("The key is missing, unknown, expired or revoked")


class LacksScope(ProblemError):
    status = 403
    slug = "forbidden"
    title = _("The key lacks the scope")


class InvalidOffer(ProblemError):
    """`errors` names each problem."""

    status = 422
    slug = "invalid-offer"
    title = _("The offer is not valid")


class OfferState(ProblemError):
    status = 409
    slug = "offer-state"
    title = _("Not possible in the offer's present state")
