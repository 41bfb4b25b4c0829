"""What an installation needs, looked at one by one; each finding is a sentence, a bad one with a way out."""

import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils.translation import gettext as _
from kombu.exceptions import KombuError

from personalization.config import checkup_database as of_database
from personalization.config import checkup_settings as given
from personalization.config.celery import app as celery_app
from personalization.config.heartbeat import OLD_SECONDS, heartbeat_age
from personalization.config.queues import DUE_SOON, LONG

MOST_APART_SECONDS = 5


@dataclass(frozen=True)
class Finding:
    name: str
    is_well: bool
    sentence: str


def examine() -> list[Finding]:
    """All checks, in the order in which one explains the next."""
    checks: tuple[tuple[str, Callable[[], given.Said]], ...] = (
        (_("Secret key"), given.secret_key),
        (_("Debugging"), given.debug),
        (_("Address"), given.address),
        (_("Disk"), given.disk),
        (_("Backups"), given.backups),
        (_("Database"), _database),
        (_("Migrations"), _asking(_migrations)),
        (_("Connections"), _asking(of_database.connections)),
        (_("Indexes"), _asking(of_database.indexes)),
        (_("References"), _asking(of_database.references)),
        (_("Redis"), _redis),
        (_("Clock"), _clock),
        (_("Worker"), _worker),
        (_("Beat"), _beat),
        (_("Mail server"), _mail_server),
        (_("Sender"), given.sender),
        (_("Sending"), _sending),
    )
    return [Finding(name, *check()) for name, check in checks]


def _asking(check: Callable[[], given.Said]) -> Callable[[], given.Said]:
    def ask() -> given.Said:
        try:
            return check()
        except DatabaseError:
            return False, _("cannot be looked at without the database.")

    return ask


def _sending() -> given.Said:
    if settings.SANDBOX:
        return True, _("SANDBOX is on: nothing is sent.")
    return True, _("messages leave.")


def _database() -> given.Said:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SHOW server_version")
            (version,) = cursor.fetchone()
    except DatabaseError:
        place = f"{connection.settings_dict.get('HOST')}:{connection.settings_dict.get('PORT')}"
        return False, _("does not answer at %(place)s. Is bin/run started, or DATABASE_URL right?") % {
            "place": place
        }
    return True, _("PostgreSQL %(version)s answers.") % {"version": version}


def _migrations() -> given.Said:
    executor = MigrationExecutor(connection)
    missing = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    if missing:
        return False, _("%(count)s are not applied. Run: manage.py migrate") % {"count": missing}
    return True, _("all applied.")


def _redis() -> given.Said:
    try:
        with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=3, socket_connect_timeout=3) as client:
            version = client.info("server")["redis_version"]
            policy = _asked(client, "maxmemory-policy", "noeviction")
            keeps = _asked(client, "appendonly", "yes")
    except redis.RedisError:
        return False, _("does not answer. Is bin/run started, or REDIS_URL right?")
    if policy != "noeviction":
        return False, _(
            "forgets keys when memory is short, and with them tasks. Set: maxmemory-policy noeviction"
        )
    if keeps != "yes":
        return False, _("forgets waiting tasks when it is restarted. Set: appendonly yes")
    return True, _("Redis %(version)s answers.") % {"version": version}


def _asked(client: redis.Redis, name: str, usual: str) -> str:
    """A setting of the server; `usual` where, as with hired ones, nobody may ask."""
    try:
        return str(client.config_get(name).get(name, usual))
    except redis.ResponseError:
        return usual


def _clock() -> given.Said:
    """Times are this machine's, and the database's: what is due is decided by both."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT extract(epoch FROM clock_timestamp())")
            ahead = time.time() - float(cursor.fetchone()[0])
    except DatabaseError:
        return False, _("cannot be compared without the database.")
    if abs(ahead) > MOST_APART_SECONDS:
        return False, _(
            "differs from the database's by %(seconds)s seconds: campaigns start at the wrong time, and"
            " workers take one another's work. Set both by NTP."
        ) % {"seconds": round(ahead)}
    return True, _("goes with the database's.")


def _worker() -> given.Said:
    try:
        answers = celery_app.control.inspect(timeout=1.5).active_queues() or {}
    except (OSError, redis.RedisError, KombuError):
        return False, _("cannot be asked without Redis.")
    taken = {queue["name"] for queues in answers.values() for queue in queues}
    for queues in (DUE_SOON, LONG):
        if not taken.issuperset(queues):
            return False, _(
                "none takes the tasks of %(queues)s. Start one:"
                " celery -A personalization.config worker -Q %(queues)s"
            ) % {"queues": ",".join(queues)}
    return True, _("%(count)s answer.") % {"count": len(answers)}


def _beat() -> given.Said:
    try:
        age = heartbeat_age()
    except redis.RedisError:
        return False, _("cannot be asked without Redis.")
    if age is None or age > OLD_SECONDS:
        return False, _(
            "no sign of life for a minute: campaigns do not start on time. "
            "Start one: celery -A personalization.config beat"
        )
    return True, _("last sign of life %(seconds)s seconds ago.") % {"seconds": round(age)}


def _mail_server() -> given.Said:
    address = urlsplit(settings.EMAIL_URL)
    secure = address.scheme in ("smtps", "smtp+ssl", "smtp+tls")
    place = {"place": f"{address.hostname}:{address.port or (465 if secure else 25)}"}
    try:
        with socket.create_connection(
            (address.hostname or "", address.port or (465 if secure else 25)), timeout=5
        ):
            return True, _("%(place)s takes connections.") % place
    except OSError:
        return False, _("%(place)s does not answer. Is bin/run started, or EMAIL_URL right?") % place
