"""A command says how far it is: in one line on a terminal, in a few lines of a log."""

import io

from django.core.management.base import OutputWrapper

from personalization.access.terminal import ProgressLine


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def said_to(out: io.StringIO) -> str:
    line = ProgressLine(OutputWrapper(out))
    for share in (0, 0.04, 0.1, 0.101, 0.35, 1):
        line.tell(share)
    line.end()
    return out.getvalue()


def test_on_a_terminal_it_is_one_line_written_anew() -> None:
    said = said_to(Terminal())
    assert said.count("\n") == 1 and said.endswith("\n")
    assert [part.split()[0] for part in said.split("\r")[1:]] == ["0%", "4%", "10%", "35%", "100%"]


def test_in_a_log_it_is_a_line_for_each_ten_percent() -> None:
    said = said_to(io.StringIO())
    assert "\r" not in said
    assert [line.split()[0] for line in said.splitlines()] == ["10%", "35%", "100%"]
