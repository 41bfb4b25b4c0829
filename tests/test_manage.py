"""The command line, started by a Python that has none of our packages."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def test_a_python_without_our_packages_names_the_one_that_has_them() -> None:
    command = [sys.executable, "-S", "manage.py", "load", "items", "items.csv"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "Another Python has our packages: .venv/bin/python manage.py load items items.csv" in done.stderr
    assert "Traceback" not in done.stderr
