"""MariaDB: create it, ask it, take and restore the snapshot of the seeded state."""

from __future__ import annotations

import getpass
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO

from .config_common import Lab
from .console import LabError
from .settings import Settings

# Schema -> account that owns it.
SCHEMAS = {
    "keystone": "keystone",
    "placement": "placement",
    "glance": "glance",
    "neutron": "neutron",
    "nova_api": "nova",
    "nova_cell0": "nova",
    "nova_cell1": "nova",
}


class Database:
    """The lab's MariaDB through its unix socket, by the command-line client."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def create_files(self) -> None:
        """An empty data folder; its root account is the user who runs the lab."""
        shutil.rmtree(self._settings.state / "mariadb", ignore_errors=True)
        user = getpass.getuser()
        command = [
            "mariadb-install-db",
            f"--defaults-file={self._settings.etc}/mariadb.cnf",
            "--auth-root-authentication-method=socket",
            f"--auth-root-socket-user={user}",
            "--skip-test-db",
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise LabError(f"mariadb-install-db failed:\n{done.stdout}{done.stderr}")

    def answers(self) -> bool:
        return self._client("SELECT 1", check=False).returncode == 0

    def query(self, sql: str) -> list[list[str]]:
        output = self._client(sql).stdout
        return [line.split("\t") for line in output.splitlines()]

    def run_file(self, path: Path, schema: str) -> None:
        with path.open() as script:
            self._run([schema], stdin=script)

    def create_schemas(self, lab: Lab) -> None:
        """Empty schemas, one account per service."""
        lines = []
        for schema, owner in SCHEMAS.items():
            lines.append(f"DROP DATABASE IF EXISTS {schema}")
            lines.append(f"CREATE DATABASE {schema} CHARACTER SET utf8mb3")
            for origin in ("127.0.0.1", "localhost"):
                account = f"'{owner}'@'{origin}'"
                lines.append(f"CREATE USER IF NOT EXISTS {account} IDENTIFIED BY '{lab.password}'")
                lines.append(f"GRANT ALL ON {schema}.* TO {account}")
        self._client(";\n".join(lines))

    def dump(self, folder: Path) -> None:
        """Per schema one script that makes it from nothing, and one that refills it."""
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda schema: self._dump_schema(schema, folder), SCHEMAS))

    def _dump_schema(self, schema: str, folder: Path) -> None:
        plain = ["--single-transaction", "--skip-comments", "--hex-blob", "--skip-add-locks"]
        full = self._dump_tool([*plain, "--skip-disable-keys", schema])
        quiet = "SET autocommit=0; SET foreign_key_checks=0; SET unique_checks=0;\n"
        (folder / f"{schema}.full.sql").write_text(f"{quiet}{full}\nCOMMIT;\n")
        rows = self._dump_tool([*plain, "--no-create-info", "--skip-triggers", "--compact", schema])
        tables = self.query(
            "SELECT table_name FROM information_schema.tables"
            f" WHERE table_schema='{schema}' AND table_type='BASE TABLE'"
        )
        # Deleting is much cheaper than making tables anew, and services may stay connected.
        empty = "\n".join(f"DELETE FROM `{name}`;" for (name,) in tables)
        (folder / f"{schema}.reset.sql").write_text(f"{quiet}{empty}\n{rows}\nCOMMIT;\n")

    def load(self, folder: Path, kind: str) -> None:
        """Kind is `full` (into empty schemas) or `reset`."""
        with ThreadPoolExecutor(3) as pool:
            # The largest ones first.
            order = sorted(SCHEMAS, key=lambda name: name not in ("neutron", "nova_cell1"))
            jobs = [
                pool.submit(self.run_file, folder / f"{name}.{kind}.sql", name) for name in order
            ]
            for job in jobs:
                job.result()

    def _client(self, sql: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return self._run(["-e", sql], check=check)

    def _run(
        self, arguments: list[str], stdin: IO[str] | None = None, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        socket = f"--socket={self._settings.database_socket}"
        command = ["mariadb", "--no-defaults", socket, "--batch", "--skip-column-names"]
        done = subprocess.run(
            [*command, *arguments],
            stdin=subprocess.DEVNULL if stdin is None else stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        if check and done.returncode != 0:
            raise LabError(f"MariaDB: {done.stderr.strip()}")
        return done

    def _dump_tool(self, arguments: list[str]) -> str:
        socket = f"--socket={self._settings.database_socket}"
        command = ["mariadb-dump", "--no-defaults", socket, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise LabError(f"mariadb-dump: {done.stderr.strip()}")
        return done.stdout
