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


class AnalysisEnded(ExperimentError):
    """There is nothing left to cancel."""

    status = 409
    slug = "analysis-ended"
    title = _("The analysis has ended")


class InvalidPlan(ExperimentError):
    """`errors` point into the plan."""

    status = 422
    slug = "invalid-plan"
    title = _("The plan makes no sense as it is")


class WrongState(ExperimentError):
    status = 409
    slug = "experiment-state"
    title = _("Not possible in the experiment's present state")


class InvalidTraffic(ExperimentError):
    status = 422
    slug = "invalid-traffic"
    title = _("The share of customers is not valid")


class LayerTaken(ExperimentError):
    status = 409
    slug = "layer-taken"
    title = _("Another running experiment has this part of the layer")


class InvalidAssignments(ExperimentError):
    status = 422
    slug = "invalid-assignments"
    title = _("Some rows are not valid; nothing was written")


class InvalidHoldout(ExperimentError):
    status = 422
    slug = "invalid-holdout"
    title = _("The holdout is not valid")


class HoldoutEnded(ExperimentError):
    status = 409
    slug = "holdout-ended"
    title = _("The holdout has ended")


class NotPossible(ExperimentError):
    status = 409
    slug = "not-possible"
    title = _("This cannot be computed")


class InvalidGroups(ExperimentError):
    status = 422
    slug = "invalid-groups"
    title = _("The groups are not valid")
