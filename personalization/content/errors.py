"""What can be wrong with a message, told so that its author finds the place."""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Problem:
    """One finding. `line` counts from 1 in the field as the author wrote it; None when it concerns the whole.

    An error keeps the message from being sent; a warning does not.
    """

    field: str  # "subject", "preheader" or "body"
    message: str
    line: int | None = None
    level: str = "error"  # "error" or "warning"
    language: str = ""  # of the text in which it stands; "" for the one for everybody

    def at(self, line: int | None) -> "Problem":
        return replace(self, line=line)


class TemplateError(Exception):
    """The message cannot be compiled; `problems` says why, and where."""

    def __init__(self, problems: list[Problem]):
        self.problems = problems
        super().__init__("; ".join(f"{p.field}:{p.line or '-'}: {p.message}" for p in problems))


class RenderError(Exception):
    """It cannot be rendered for this customer: a filter got what it cannot use, or a limit was hit."""


class MissingValue(RenderError):
    """A value that the message cannot do without is missing for this customer."""


class LeftOut(RenderError):
    """The author's own `skip_customer`: this customer is to get nothing."""


class UsedUp(RenderError):
    """What there is one of for each customer, a coupon code, has run out."""
