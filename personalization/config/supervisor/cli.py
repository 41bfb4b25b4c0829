"""The command line of `manage.py up`."""

import argparse
import os
import sys

from personalization.config.supervisor.console import Console
from personalization.config.supervisor.engines import run_on_the_data, run_with_engines
from personalization.config.supervisor.problems import StartError
from personalization.config.supervisor.product import Options, Product

ENGINES_ONLY, DATA_ONLY = "--engines-only", "--data-only"
COMMANDS = {ENGINES_ONLY: run_with_engines, DATA_ONLY: run_on_the_data}


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="manage.py up",
        description="Starts everything on this machine: database, web, worker, mail catcher.",
    )
    made.add_argument(
        "--host", default=os.environ.get("HOST_ADDRESS", "127.0.0.1"), help="address of the web"
    )
    made.add_argument("--port", type=int, default=os.environ.get("PORT", "8000"), help="port of the web")
    made.add_argument("--smtp-port", type=int, default=os.environ.get("SMTP_PORT", "1025"))
    made.add_argument("--inbox-port", type=int, default=os.environ.get("INBOX_PORT", "8025"))
    made.add_argument("--no-demo", action="store_true", help="start with an empty shop")
    made.add_argument(
        ENGINES_ONLY,
        metavar="COMMAND",
        help="start only PostgreSQL and Redis in a temporary folder, run COMMAND with its arguments, "
        "answer its exit code",
    )
    made.add_argument(
        DATA_ONLY,
        metavar="COMMAND",
        help="the same on the data that is there, while the product is stopped: for restore",
    )
    return made


def main(arguments: list[str]) -> int:
    """Runs until stopped; answers the exit code."""
    try:
        # By hand: the command's own options, such as -k, are not ours to understand.
        if len(arguments) > 1 and (run := COMMANDS.get(arguments[0])):
            command = arguments[2 if arguments[1] == "--" else 1 :]
            return run(command, console=Console(sys.stderr))
        options = parser().parse_args(arguments)
        return Product(
            Options(
                host=options.host,
                port=options.port,
                smtp_port=options.smtp_port,
                inbox_port=options.inbox_port,
                demo=not options.no_demo,
            ),
            console=Console(),
        ).run()
    except StartError as problem:
        sys.stderr.write(f"\n{problem}\n")
        return 1
