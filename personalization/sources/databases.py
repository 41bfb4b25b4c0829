"""Rows of another database, by SQLAlchemy: read only, in blocks, from the last value of the cursor on."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy
from django.conf import settings
from django.utils.translation import gettext as _
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.exc import ArgumentError, DataError, IntegrityError, SQLAlchemyError

from personalization.importing.blocks import Block, group_records
from personalization.importing.reading import BLOCK_ROWS, UnreadableFile

DRIVERS = {
    "postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg",
    "mysql": "mysql+pymysql", "mariadb": "mariadb+pymysql",
}  # fmt: skip
READ_ONLY = {"sqlite": "PRAGMA query_only = ON"}
READ_ONLY_ELSEWHERE = "SET TRANSACTION READ ONLY"
MOST_TOLD = 200  # characters


def check_address(address: str) -> sqlalchemy.URL:
    """Raises UnreadableFile; never quotes the address, which may hold a password."""
    try:
        url = make_url(address)
    except (ArgumentError, ValueError):
        raise UnreadableFile(_("This is no address of a database.")) from None
    backend = url.get_backend_name()
    if backend == "sqlite":
        folder = Path(settings.SOURCE_SQLITE_DIR).resolve()
        if not url.database or folder not in Path(url.database).resolve().parents:
            raise UnreadableFile(_("SQLite files are read only in %(folder)s.") % {"folder": folder})
        return url.set(
            drivername="sqlite",
            database=f"file:{Path(url.database).resolve()}",
            query={"mode": "ro", "uri": "true"},
        )
    if backend not in DRIVERS:
        raise UnreadableFile(_("Only PostgreSQL, MySQL, MariaDB and SQLite can be read."))
    return url.set(drivername=DRIVERS[backend])


def read_query(
    address: str, query: str, *, cursor_column: str = "", cursor: Mapping[str, Any] | None = None,
    rows: int = BLOCK_ROWS,
) -> Iterator[tuple[Block, dict[str, Any]]]:  # fmt: skip
    """Blocks, each with the cursor after it; ordered by the cursor column where there is one.

    The rows at the last value are read again, for more of them may have come since: writing them twice does
    no harm. Raises UnreadableFile.
    """
    url = check_address(address)
    try:
        with _connect(url) as connection:
            statement, values = _statement(connection, query, cursor_column, cursor or {})
            result = connection.execution_options(stream_results=True, yield_per=rows).execute(
                statement, values
            )
            names, line = list(result.keys()), 0
            if cursor_column and cursor_column not in names:
                raise UnreadableFile(_("The query has no column %(name)s.") % {"name": cursor_column})
            for chunk in result.partitions(rows):
                records = [dict(zip(names, map(_cell, row), strict=True)) for row in chunk]
                last = chunk[-1][names.index(cursor_column)] if cursor_column else None
                lines = list(range(line + 1, line + len(records) + 1))
                line += len(records)
                yield Block(group_records(lines, records)), _packed(last)
    except SQLAlchemyError as error:
        raise UnreadableFile(
            _("The database refused: %(reason)s") % {"reason": _reason(error, url)}
        ) from None


def _reason(error: SQLAlchemyError, url: sqlalchemy.URL) -> str:
    """The first line of what the database said, without the password; of wrong values, which may be
    somebody's, only their kind."""
    said = getattr(error, "orig", None)
    if said is None or isinstance(error, (DataError, IntegrityError)):
        return type(said or error).__name__
    words = said.args[1] if len(said.args) > 1 else str(said)  # MySQL's are a number and the words
    first = (str(words).strip().splitlines() or [type(said).__name__])[0][:MOST_TOLD]
    return first.replace(url.password, "…") if url.password else first


@contextmanager
def _connect(url: sqlalchemy.URL) -> Iterator[Connection]:
    engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.pool.NullPool)
    try:
        with engine.connect() as connection, connection.begin():
            connection.exec_driver_sql(READ_ONLY.get(url.get_backend_name(), READ_ONLY_ELSEWHERE))
            yield connection
    finally:
        engine.dispose()


def _statement(
    connection: Connection, query: str, cursor_column: str, cursor: Mapping[str, Any]
) -> tuple[sqlalchemy.TextClause, dict[str, Any]]:
    inner = query.strip().rstrip(";").replace(":", "\\:")
    sql, values = f"SELECT * FROM ({inner}) AS pulled", {}  # noqa: S608 - read only, by staff who may
    if cursor_column:
        column = connection.dialect.identifier_preparer.quote(cursor_column).replace(":", "\\:")
        if cursor:
            sql, values = f"{sql} WHERE {column} >= :since", {"since": _unpacked(cursor)}
        sql += f" ORDER BY {column}"
    return sqlalchemy.text(sql), values


def _cell(value: Any) -> Any:
    if isinstance(value, (bytes, memoryview)):
        return bytes(value).decode(errors="replace")
    return str(value) if isinstance(value, (Decimal, UUID)) else value


def _packed(value: Any) -> dict[str, Any]:
    if isinstance(value, datetime):
        return {"time": value.isoformat()}
    if isinstance(value, date):
        return {"date": value.isoformat()}
    return {} if value is None else {"value": value if isinstance(value, (int, float, str)) else str(value)}


def _unpacked(cursor: Mapping[str, Any]) -> Any:
    if "time" in cursor:
        return datetime.fromisoformat(cursor["time"])
    return date.fromisoformat(cursor["date"]) if "date" in cursor else cursor.get("value")
