"""The test database: migrated by its owner, used by the tests as cp_app."""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from django.core.management import call_command
from django.db import connections
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from controlplane.stack.postgres import GRANTS

MIGRATED = "test_migrated"
TABLES = (
    "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname IN ('public', 'audit')"
)


def superuser(database: str) -> psycopg.Connection:
    return psycopg.connect(os.environ["TEST_SUPERUSER_URL"], dbname=database, autocommit=True)


@contextmanager
def connected_as(role: str, database: str) -> Iterator[None]:
    """Django's default connection as another role."""
    settings = connections["default"].settings_dict
    before = {name: settings[name] for name in ("NAME", "USER", "PASSWORD")}
    parts = conninfo_to_dict(os.environ["DATABASE_OWNER_URL" if role == "cp_owner" else "DATABASE_URL"])
    connections["default"].close()
    settings.update(NAME=database, USER=parts["user"], PASSWORD=parts["password"])
    yield
    connections["default"].close()
    settings.update(before)


def _make(connection: psycopg.Connection, name: str, *, template: str) -> None:
    words = {"name": sql.Identifier(name), "template": sql.Identifier(template)}
    connection.execute(sql.SQL("DROP DATABASE IF EXISTS {name} WITH (FORCE)").format(**words))
    connection.execute(sql.SQL("CREATE DATABASE {name} OWNER cp_owner TEMPLATE {template}").format(**words))
    with superuser(name) as inside:
        for statement in GRANTS:
            inside.execute(statement)


def _which_hold_rows(tables: list[str]) -> str:
    """A statement that answers the names of those tables that are not empty."""
    each = (f"CASE WHEN EXISTS (SELECT FROM {table}) THEN '{table}' END" for table in tables)
    return f"SELECT array_remove(ARRAY[{', '.join(each)}], NULL)"


class TestDatabase:
    """Created once per worker, dropped at the end."""

    __test__ = False

    def __init__(self, name: str) -> None:
        self.name = name
        self.reference: dict[str, bytes] = {}
        # A test that commits leaves its rows behind it.
        self.is_left = False

    def create(self) -> None:
        """A copy of the migrated one, and the rows migrations put in remembered."""
        with superuser("postgres") as connection:
            # The first worker migrates; the others wait for it and copy.
            connection.execute("SELECT pg_advisory_lock(1)")
            if not connection.execute("SELECT FROM pg_database WHERE datname = %s", [MIGRATED]).fetchone():
                _make(connection, MIGRATED, template="template0")
                with connected_as("cp_owner", MIGRATED):
                    call_command("migrate", verbosity=0, interactive=False)
            _make(connection, self.name, template=MIGRATED)
        with superuser(self.name) as connection:
            # Only here: between tests Django empties its own tables. The ledger's are not its own.
            connection.execute("GRANT TRUNCATE ON ALL TABLES IN SCHEMA public TO cp_app")
            tables = [table for (table,) in connection.execute(TABLES).fetchall()]
            self.filled = _which_hold_rows(
                [each for each in tables if not each.endswith("django_migrations")]
            )
            for table in tables:
                rows = io.BytesIO()
                with connection.cursor().copy(f"COPY {table} TO STDOUT") as copy:
                    for chunk in copy:
                        rows.write(chunk)
                if rows.getvalue() and not table.endswith("django_migrations"):
                    self.reference[table] = rows.getvalue()

    def restore(self) -> None:
        """After a test that committed: no row but those of the migrations.

        Rows are deleted where there are any: to truncate every table took half a second for each test.
        """
        with superuser(self.name) as connection, connection.transaction():
            connection.execute("SET LOCAL session_replication_role = replica")
            filled = connection.execute(self.filled).fetchone()
            for table in filled[0]:
                connection.execute(f"DELETE FROM {table}")
            for table, rows in self.reference.items():
                with connection.cursor().copy(f"COPY {table} FROM STDIN") as copy:
                    copy.write(rows)

    def drop(self) -> None:
        connections.close_all()
        with superuser("postgres") as connection:
            connection.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(self.name))
            )
