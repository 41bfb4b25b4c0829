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


class MergeRefused(ProblemError):
    status = 409
    slug = "merge-refused"
    title = _("These profiles cannot be merged")


class UnmergeRefused(ProblemError):
    status = 409
    slug = "unmerge-refused"
    title = _("This merge cannot be undone")
