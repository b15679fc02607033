from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text

from support.records import ARTIFACT, a_task, open_record
from vivant.errors import Misconfigured
from vivant.record import lanes, migrate
from vivant.record.database import Record, check_record
from vivant.record.lanes import Counts
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


def test_every_record_has_an_id_of_its_own_that_stays(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).mkdir()
    ids = []
    for name in "aab":
        record = open_record(tmp_path / name)
        ids.append(record.id)
        record.close()
    assert ids[0] == ids[1] != ids[2]
    assert len(ids[0]) == 36


def test_a_record_of_the_first_version_keeps_its_tasks(tmp_path: Path) -> None:
    path = tmp_path / "vivant.db"
    config = Config()
    config.set_main_option("script_location", str(migrate.FOLDER))
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        request = json.dumps(a_task().request.to_data())
        for number, (status, owner, artifact, files_since) in enumerate(
            [
                ("queued", None, None, None),
                ("running", "boot-1", None, None),
                ("succeeded", None, json.dumps(asdict(ARTIFACT)), 5),
                ("succeeded", None, json.dumps(asdict(ARTIFACT)), None),
            ]
        ):
            connection.execute(
                text(
                    "INSERT INTO tasks (id, key_id, tier, status, request, tokens, engine, created_at, expires_at,"
                    " attempt, starts, owner, artifact, tags, files_since)"
                    " VALUES (:id, 'ann', 'default', :status, :request, 100,"
                    " 'testcard', 0, 9, 1, 7, :owner, :artifact, '{}', :files_since)"
                ),
                {"id": f"t{number}", "status": status, "request": request, "owner": owner, "artifact": artifact,
                 "files_since": files_since},
            )  # fmt: skip
        connection.execute(text("INSERT INTO lanes VALUES ('default', 'ann', 0, 1, 1)"))
    engine.dispose()
    record = open_record(tmp_path)
    with record.transaction() as connection:
        assert lanes.recount(connection) == 0
        counts = lanes.read_counts(connection)["default", "ann"]
        assert counts == Counts(queued=1, running=1, queued_tokens=100, running_tokens=100, stored_bytes=ARTIFACT.size)
        assert set(connection.execute(text("SELECT interruptions FROM tasks")).scalars()) == {0}
    record.close()


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
