"""What the customers room refuses."""

from django.utils.translation import gettext_lazy as _

from personalization.access.problems import ProblemError


class UnknownCustomer(ProblemError):
    status = 404
    slug = "unknown-customer"
    title = _("There is no such customer")


class InvalidTraits(ProblemError):
    status = 400
    slug = "invalid-traits"
    title = _("A trait has an unusable value")


class InvalidConsent(ProblemError):
    status = 400
    slug = "invalid-consent"
    title = _("The consent cannot be recorded")
