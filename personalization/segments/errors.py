"""What the segments room refuses."""

from collections.abc import Sequence

from django.utils.translation import gettext, gettext_lazy

from personalization.access.kept_words import keep
from personalization.access.problems import ProblemError
from personalization.segments.definition import DefinitionError, Problem


class InvalidDefinition(ProblemError):
    """The definition is not valid; `errors` says where and what to do."""

    status = 422
    slug = "invalid-segment"
    title = gettext_lazy("The segment is not valid")

    def __init__(self, problems: Sequence[Problem], *, prefix: str = "") -> None:
        super().__init__(
            gettext("Correct the marked conditions and try again."),
            errors=[
                {"pointer": prefix + problem.pointer, "detail": problem.sentence(gettext)}
                for problem in problems
            ],
        )

    @classmethod
    def of(cls, error: DefinitionError, *, prefix: str = "") -> "InvalidDefinition":
        return cls(error.problems, prefix=prefix)


def kept(error: DefinitionError) -> str:
    """The first that is wrong, for a row that keeps it: the segment's own page tells all, and where."""
    return keep(error.problems[0].message, **error.problems[0].parameters)


class NameTaken(ProblemError):
    status = 409
    slug = "segment-name-taken"
    title = gettext_lazy("Another segment has this name")


class CountTooSlow(ProblemError):
    """The database was stopped after the time a person waits for a live count."""

    status = 503
    slug = "segment-count-too-slow"
    title = gettext_lazy("Counting takes too long")
