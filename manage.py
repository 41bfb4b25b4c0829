#!/usr/bin/env python
"""Django's command line, and ours: up, load, train, evaluate, doctor."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "personalization.config.settings")
    if sys.argv[1:2] == ["up"]:
        # Starts the database, so it neither needs Django nor waits for it.
        from personalization.config.supervisor.cli import main as up

        sys.exit(up(sys.argv[2:]))
    try:
        from django.core.management import execute_from_command_line
    except ModuleNotFoundError as error:
        if error.name != "django":
            raise
        ours = " ".join([".venv/bin/python", *sys.argv])
        sys.exit(f"Another Python has our packages: {ours} (bin/run makes it).")

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
