"""What can be wrong with a message, told so that its author finds the place."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One finding. `line` counts from 1 in the field as the author wrote it; None when it concerns the whole.

    An error keeps the message from being sent; a warning does not.
    """

    field: str  # "subject", "preheader" or "body"
    message: str
    line: int | None = None
    level: str = "error"  # "error" or "warning"


class TemplateError(Exception):
    """The message cannot be compiled; `problems` says why, and where."""

    def __init__(self, problems: list[Problem]):
        self.problems = problems
        super().__init__("; ".join(f"{p.field}:{p.line or '-'}: {p.message}" for p in problems))


class RenderError(Exception):
    """It cannot be rendered for this customer: a filter got what it cannot use, or a limit was hit."""
