from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine

from support.records import open_record
from vivant.errors import Misconfigured
from vivant.record import migrate
from vivant.record.database import Record, check_record
from vivant.record.tables import metadata


def anatomy(connection: Connection) -> dict[str, object]:
    """Everything SQLite knows about each table: columns, defaults, keys, indexes, number of checks."""

    def pragma(name: str, table: str) -> list[tuple[object, ...]]:
        return sorted((tuple(row) for row in connection.exec_driver_sql(f"PRAGMA {name}({table})")), key=repr)

    tables = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE type = 'table'").all()
    indexes = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql NOT NULL")
    return {row.name: row.sql for row in indexes} | {
        name: (pragma("table_info", name), pragma("foreign_key_list", name), sql.count("CHECK"))
        for name, sql in tables
        if name != "alembic_version"
    }


def test_migrations_make_exactly_the_tables_of_this_program(connection: Connection) -> None:
    fresh = create_engine("sqlite://")
    with fresh.begin() as other:
        metadata.create_all(other)
        assert anatomy(connection) == anatomy(other)
    fresh.dispose()


def test_head_is_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(migrate.FOLDER))
    assert ScriptDirectory.from_config(config).get_heads() == [migrate.HEAD]


def test_a_record_that_is_up_to_date_is_opened_without_alembic(tmp_path: Path) -> None:
    open_record(tmp_path).close()
    code = (
        "import sys; from vivant.record.database import Record\n"
        f"Record('sqlite:///{tmp_path / 'vivant.db'}').close()\n"
        "print('alembic' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_many_processes_may_open_a_new_record_at_once(tmp_path: Path) -> None:
    code = f"from vivant.record.database import Record; Record('sqlite:///{tmp_path / 'vivant.db'}').close()"
    openers = [subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True) for _ in range(4)]
    assert [(opener.communicate()[1], opener.returncode) for opener in openers] == [("", 0)] * 4


def test_the_record_of_a_newer_program_is_left_alone(tmp_path: Path) -> None:
    open_record(tmp_path).close()
    with sqlite3.connect(tmp_path / "vivant.db") as other:
        other.execute("UPDATE alembic_version SET version_num = '9999'")
    other.close()
    with pytest.raises(Misconfigured, match=r"version 9999.*newer Vivant"):
        open_record(tmp_path)


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "vivant.db").write_bytes(b"this is a letter, not a database" * 100)
    with pytest.raises(Misconfigured, match="cannot be opened"):
        open_record(tmp_path)
    assert check_record(f"sqlite:///{tmp_path / 'vivant.db'}")[0] is False


@pytest.mark.parametrize("url", ["postgresql://localhost/x", "sqlite://", "sqlite:///:memory:", "what is this"])
def test_only_sqlite_files_are_accepted(url: str) -> None:
    with pytest.raises(Misconfigured, match="VIVANT_DATABASE_URL"):
        Record(url)


def test_checking_accepts_an_intact_record(tmp_path: Path) -> None:
    good, detail = check_record(f"sqlite:///{tmp_path / 'vivant.db'}")
    assert good and "vivant.db" in detail


def test_the_folder_of_the_record_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    open_record(tmp_path / "data").close()
    assert (tmp_path / "data").stat().st_mode & 0o077 == 0
