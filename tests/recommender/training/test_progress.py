import io
from unittest.mock import patch

from recommender.training import progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_log_gets_a_plain_line_now_and_then():
    stream = io.StringIO()
    times = patch.object(progress.time, "monotonic", side_effect=[0.0, 1.0, 11.0, 11.0, 12.0])
    with times, progress.progress_bar("als", stream=stream) as bar:
        for share in (0.1, 0.5, 0.9):
            bar(share)
    assert stream.getvalue() == "als: 50%\n"


def test_a_terminal_gets_a_bar_that_goes_away():
    stream = Terminal()
    with progress.progress_bar("als", stream=stream) as bar:
        bar(0.5)
        bar(1.5)
    assert "als" in stream.getvalue()
