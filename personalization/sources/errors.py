"""What the data sources refuse."""

from django.utils.translation import gettext_lazy as _

from personalization.access.problems import ProblemError


class InvalidOptions(ProblemError):
    status = 400
    slug = "invalid-import"
    title = _("The import cannot be carried out like this")


class NotStartable(ProblemError):
    status = 409
    slug = "import-not-startable"
    title = _("Not possible in the import's present state")


class NoColumn(InvalidOptions):
    """A field that every row needs is filled by no column."""
