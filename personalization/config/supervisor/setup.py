"""Inside Django, in a process of its own: migrations, the first staff user, the demo shop.

Tells the supervisor what it found on lines that begin with MARK; everything else goes to the terminal.
"""

import io
import os
import secrets
import sys
from pathlib import Path

MARK = "\x01bespoke "


def tell(what: str, value: str = "") -> None:
    sys.stdout.write(f"{MARK}{what} {value}\n")
    sys.stdout.flush()


def main(*, with_demo: bool) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "personalization.config.settings")
    import django

    django.setup()
    wait_for_database()
    migrate()
    ensure_metrics()
    make_first_staff_user()
    tell("migrated")
    if with_demo:
        load_demo_once()


def wait_for_database(timeout_seconds: float = 30.0) -> None:
    import time

    from django.db import OperationalError, connection

    deadline = time.monotonic() + timeout_seconds
    while True:
        try:
            connection.ensure_connection()
        except OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


def migrate() -> None:
    """Nothing when nothing is to be applied: Django's own command would look at every permission again."""
    from django.core.management import call_command
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        call_command("migrate", interactive=False, verbosity=0)
        call_command("ensure_roles", verbosity=0, stdout=io.StringIO())


def ensure_metrics() -> None:
    """At every start: a new version may bring a default metric without a migration."""
    from django.core.management import call_command

    call_command("ensure_metrics", stdout=io.StringIO())


def make_first_staff_user() -> None:
    """`admin` with a random password, told once, when nobody may do everything yet."""
    from django.contrib.auth import get_user_model

    users = get_user_model().objects
    if users.filter(is_superuser=True).exists():
        return
    password = secrets.token_urlsafe(9)
    users.create_superuser("admin", "", password)
    tell("password", password)


def load_demo_once() -> None:
    """Fills an empty database with the demo shop; the mark of it lets the shop's customers react to mail."""
    from django.conf import settings
    from django.core.management import call_command, get_commands

    from personalization.catalog.models import Item
    from personalization.customers.models import Customer

    commands = get_commands()
    mark = Path(settings.DATA_DIR) / "demo-shop"
    if not Customer.objects.exists() and not Item.objects.exists():
        if "load_demo" not in commands:
            sys.stdout.write("There is no demo shop in this version; starting without one.\n")
            return
        call_command("load_demo")
        mark.write_text("The demo shop was loaded here.\n")
    if mark.exists() and "react" in commands:
        tell("react")


if __name__ == "__main__":
    main(with_demo="--demo" in sys.argv)
