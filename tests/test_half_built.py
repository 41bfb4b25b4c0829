"""A migration that was stopped while it built an index builds it when it is run again."""

import re
from pathlib import Path

import pytest
from django.db import IntegrityError, connection
from django.db.migrations.state import ProjectState

from personalization.half_built import DropHalfBuilt

ROOT = Path(__file__).resolve().parent.parent
BUILT = re.compile(r"CREATE (?:UNIQUE )?INDEX CONCURRENTLY IF NOT EXISTS (\w+)")


@pytest.mark.django_db(transaction=True)
def test_what_a_stopped_build_has_left_is_dropped_and_a_whole_index_stays() -> None:
    drop = DropHalfBuilt("half")
    with connection.cursor() as cursor, connection.schema_editor(atomic=False) as editor:

        def is_there() -> bool:
            drop.database_forwards("campaigns", editor, ProjectState(), ProjectState())
            cursor.execute("SELECT to_regclass('half') IS NOT NULL")
            return bool(cursor.fetchone()[0])

        cursor.execute("CREATE TABLE twice AS SELECT 1 AS n FROM generate_series(1, 2)")
        try:
            assert not is_there()
            with pytest.raises(IntegrityError):
                cursor.execute("CREATE UNIQUE INDEX CONCURRENTLY half ON twice (n)")
            cursor.execute("SELECT to_regclass('half') IS NOT NULL")
            assert cursor.fetchone()[0]
            assert not is_there()
            cursor.execute("CREATE INDEX half ON twice (n)")
            assert is_there()
        finally:
            cursor.execute("DROP TABLE twice")


def test_each_migration_that_builds_one_concurrently_begins_so() -> None:
    paths = [path for path in ROOT.glob("*/**/migrations/0*.py") if ".venv" not in path.parts]
    built = 0
    for path in paths:
        forwards = path.read_text().partition("reverse_sql")[0]
        for name in BUILT.findall(forwards):
            built += 1
            assert f'DropHalfBuilt("{name}")' in forwards, path
    assert built == 3
