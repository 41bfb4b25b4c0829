"""What the campaigns room refuses."""

from django.utils.translation import gettext_lazy as _

from personalization.access.problems import ProblemError


class InvalidState(ProblemError):
    """The campaign or its run is not in a state in which this can be done."""

    status = 409
    slug = "campaign-state"
    title = _("Not possible in the campaign's present state")


class CampaignNotReady(ProblemError):
    """The checks found errors; `errors` names each."""

    status = 422
    slug = "campaign-not-ready"
    title = _("The campaign cannot be sent yet")


class InvalidCampaign(ProblemError):
    """What was to be saved makes no campaign."""

    status = 422
    slug = "invalid-campaign"
    title = _("The campaign is not valid")


class InvalidAccount(ProblemError):
    """What was to be saved is no account with a provider."""

    status = 422
    slug = "invalid-sender-account"
    title = _("The account is not valid")


class InvalidJourney(ProblemError):
    """What was to be saved or published makes no journey; `errors` names each."""

    status = 422
    slug = "invalid-journey"
    title = _("The journey is not valid")


class InvalidCoupons(ProblemError):
    """What was to be saved is no pool, or holds what is no code."""

    status = 422
    slug = "invalid-coupons"
    title = _("The coupons are not valid")


class InvalidWebhook(ProblemError):
    """What was to be saved is no webhook."""

    status = 422
    slug = "invalid-webhook"
    title = _("The webhook is not valid")


class InvalidSuggestion(ProblemError):
    """What is asked of the language model makes no question."""

    status = 422
    slug = "invalid-suggestion"
    title = _("These texts cannot be asked for")
