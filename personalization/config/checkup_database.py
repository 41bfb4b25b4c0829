"""What the database itself can tell about an installation."""

import os

import redis
from django.apps import apps
from django.db import connection
from django.db.models import ForeignKey
from django.utils.translation import gettext as _
from kombu.exceptions import KombuError
from psycopg import sql

from personalization.config.celery import app as celery_app
from personalization.config.checkup_settings import Said

# Connections that a process of each kind holds at most: see docs/operations.md.
OF_WEB, OF_WORKER, OF_BEAT = 25, 2, 1
# Rows of each table that are looked at: a second or two in all, however large the tables are.
LOOKED_AT = 100_000

_ALLOWED = """
    SELECT sum(setting::int) FILTER (WHERE name = 'max_connections')
        - sum(setting::int) FILTER (WHERE name <> 'max_connections')
    FROM pg_settings
    WHERE name IN ('max_connections', 'superuser_reserved_connections', 'reserved_connections')
"""
_HALF_BUILT = """
    SELECT i.indexrelid::regclass::text FROM pg_index AS i
    WHERE NOT i.indisvalid
        AND NOT EXISTS (SELECT FROM pg_stat_progress_create_index AS p WHERE p.index_relid = i.indexrelid)
    ORDER BY 1
"""
_SHARE = "SELECT least(100, 100.0 * %s / greatest(reltuples, 1)) FROM pg_class WHERE oid = %s::regclass"
_LOST = """
    SELECT count(*) FROM (
        SELECT {column} AS id FROM {table} TABLESAMPLE SYSTEM (%s) WHERE {column} IS NOT NULL LIMIT %s
    ) AS looked_at
    WHERE NOT EXISTS (SELECT FROM {target} AS t WHERE t.{key} = looked_at.id)
"""


def connections() -> Said:
    """Whether all processes find room at once; those of the web, which nobody can ask, by WEB_WORKERS."""
    if connection.settings_dict["DISABLE_SERVER_SIDE_CURSORS"]:
        return True, _("a pooler stands before the database.")
    with connection.cursor() as cursor:
        cursor.execute(_ALLOWED)
        allowed = int(cursor.fetchone()[0])
    web, workers = int(os.environ.get("WEB_WORKERS", "1")), _worker_processes()
    needed = OF_WEB * web + OF_WORKER * workers + OF_BEAT
    values = {"allowed": allowed, "needed": needed, "web": web, "workers": workers}
    if needed > allowed:
        return False, _(
            "PostgreSQL allows %(allowed)s, and %(web)s processes of the web and %(workers)s of workers open"
            " up to %(needed)s. Raise max_connections, start fewer, or put PgBouncer in between"
            " (PGBOUNCER=1)."
        ) % values
    return True, _("PostgreSQL allows %(allowed)s, at most %(needed)s are opened.") % values


def _worker_processes() -> int:
    """Of all workers that answer."""
    try:
        told = celery_app.control.inspect(timeout=1.5).stats() or {}
    except (OSError, redis.RedisError, KombuError):
        return 0
    return sum(one.get("pool", {}).get("max-concurrency", 1) for one in told.values())


def indexes() -> Said:
    """An index whose building was stopped is kept up to date and used by no query."""
    with connection.cursor() as cursor:
        cursor.execute(_HALF_BUILT)
        names = [name for (name,) in cursor.fetchall()]
    if names:
        return False, _("%(names)s: half built, and used by no query. Run: %(command)s") % {
            "names": ", ".join(names),
            "command": " ".join(f"REINDEX INDEX CONCURRENTLY {name};" for name in names),
        }
    return True, _("all can be used.")


def references() -> Said:
    """Rows that lead to nothing, where no constraint of the database forbids it; of large tables a sample."""
    fields = [field for model in apps.get_models() for field in model._meta.local_concrete_fields]
    unguarded = [
        one for one in fields if isinstance(one, ForeignKey) and not getattr(one, "db_constraint", 1)
    ]
    counts = {f"{field.model._meta.db_table}.{field.column}": _lost(field) for field in unguarded}
    lost = [f"{place} ({count})" for place, count in counts.items() if count]
    if lost:
        return False, _(
            "%(places)s: so many rows lead to nothing. Rows were removed by hand, or put back in part:"
            " remove these too, or put a whole backup back."
        ) % {"places": ", ".join(lost)}
    return True, _("what no constraint guards leads somewhere, too.")


def _lost(field: "ForeignKey[object, object]") -> int:
    table, target = field.model._meta.db_table, field.target_field
    names = {
        "table": sql.Identifier(table), "column": sql.Identifier(str(field.column)),
        "target": sql.Identifier(target.model._meta.db_table), "key": sql.Identifier(str(target.column)),
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_SHARE, [LOOKED_AT, table])
        share = cursor.fetchone()[0]
        cursor.execute(sql.SQL(_LOST).format(**names), [share, LOOKED_AT])
        return int(cursor.fetchone()[0])
