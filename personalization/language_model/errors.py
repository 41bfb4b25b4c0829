"""Why a language model was not asked, or its answer not taken."""

from django.utils.translation import gettext_lazy as _

from personalization.access.problems import ProblemError


class ModelOff(ProblemError):
    status = 409
    slug = "language-model-off"
    title = _("No language model is set up")


class OverBudget(ProblemError):
    status = 409
    slug = "language-model-budget"
    title = _("The month's budget for the language model does not cover this")


class UnfitQuestion(ProblemError):
    status = 422
    slug = "unfit-question"
    title = _("This cannot be asked")


class ModelTrouble(Exception):
    """The server gave no answer that can be read. Its text is one sentence for people."""


class Unusable(Exception):
    """The answer can be read, and is of no use. Its text is one sentence for people."""
