"""What a caller may do wrong with an experiment."""

from django.utils.translation import gettext_lazy as _

from personalization.access.problems import ProblemError


class ExperimentError(ProblemError):
    slug = "experiment"
    title = _("The experiment cannot be carried out")


class KeyTaken(ExperimentError):
    status = 409
    slug = "experiment-key-taken"
    title = _("There is already an experiment with this key")


class InvalidVariants(ExperimentError):
    status = 422
    slug = "invalid-variants"
    title = _("The variants are not valid")


class NotRunning(ExperimentError):
    status = 409
    slug = "experiment-ended"
    title = _("The experiment has ended and takes nobody in any more")


class InvalidPlan(ExperimentError):
    """`errors` point into the plan."""

    status = 422
    slug = "invalid-plan"
    title = _("The plan makes no sense as it is")
