"""What can be wrong with a request to this room."""

from django.utils.translation import gettext_lazy as _

from personalization.access.problems import ProblemError


class TrainingError(ProblemError):
    """The training cannot be started, or cannot go on, for a reason a person can mend."""

    status = 422
    slug = "training-refused"
    title = _("The model cannot be trained")


class TrainingEnded(ProblemError):
    """There is nothing left to cancel."""

    status = 409
    slug = "training-ended"
    title = _("The training has ended")


class TrainingCanceled(BaseException):
    """Somebody canceled the training. No Exception: a trial of parameters would take it for its failure."""


class PromotionError(ProblemError):
    """This model cannot serve."""

    status = 409
    slug = "promotion-refused"
    title = _("The model cannot be promoted")
