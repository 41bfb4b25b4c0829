"""What granian serves can be imported in a new process, in the order in which it does."""

import os
import subprocess
import sys


def test_a_new_process_gets_the_application_even_without_a_database():
    code = "import personalization.config.web as web; print(callable(web.application))"
    found = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "DATABASE_URL": "postgres://nobody@127.0.0.1:1/none"},
        check=False,
    )
    assert found.stdout.splitlines()[-1:] == ["True"], found.stderr[-2000:]
