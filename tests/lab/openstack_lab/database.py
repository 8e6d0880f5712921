"""The schemas: create them, ask them, take and restore the snapshot of the seeded state."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .config_common import Lab
from .mariadb import Server
from .settings import Settings

# Made by the collection's own tools beside Nova's, with Nova's account; gone after a reset.
RECOVERY_SCHEMA = "nova_recovery"


def schemas(settings: Settings) -> dict[str, str]:
    """Schema -> account that owns it."""
    cinder = {"cinder": "cinder"} if settings.has_cinder else {}
    return {
        "keystone": "keystone",
        "placement": "placement",
        "glance": "glance",
        "neutron": "neutron",
        **cinder,
        "nova_api": "nova",
        "nova_cell0": "nova",
        "nova_cell1": "nova",
    }


class Database:
    """All schemas of the lab, wherever each one lies."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._schemas = schemas(settings)
        self._servers = {name: Server(settings, name) for name in settings.database_servers}

    def _server(self, schema: str) -> Server:
        return self._servers[self._settings.database_server(schema)]

    def create_files(self) -> None:
        for server in self._servers.values():
            server.create_files()

    def answers(self) -> bool:
        return all(server.answers() for server in self._servers.values())

    def query(self, sql: str, schema: str = "nova_cell1") -> list[list[str]]:
        """Ask the server that has this schema; names of tables still have to say theirs."""
        return self._server(schema).query(sql)

    def create_schemas(self, lab: Lab) -> None:
        """Empty schemas, one account per service."""
        for schema, owner in self._schemas.items():
            lines = [
                f"DROP DATABASE IF EXISTS {schema}",
                f"CREATE DATABASE {schema} CHARACTER SET utf8mb3",
            ]
            for origin in ("127.0.0.1", "::1", "localhost"):
                account = f"'{owner}'@'{origin}'"
                lines.append(f"CREATE USER IF NOT EXISTS {account} IDENTIFIED BY '{lab.password}'")
                lines.append(f"GRANT ALL ON {schema}.* TO {account}")
                if owner == "nova":
                    lines.append(f"GRANT ALL ON {RECOVERY_SCHEMA}.* TO {account}")
            self.query(";\n".join(lines), schema)

    def drop_recovery_schemas(self) -> None:
        for server in self._servers.values():
            server.query(f"DROP DATABASE IF EXISTS {RECOVERY_SCHEMA}")

    def dump(self, folder: Path) -> None:
        """Per schema one script that makes it from nothing, and one that refills it."""
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda schema: self._dump_schema(schema, folder), self._schemas))

    def _dump_schema(self, schema: str, folder: Path) -> None:
        server = self._server(schema)
        plain = ["--single-transaction", "--skip-comments", "--hex-blob", "--skip-add-locks"]
        full = server.dump([*plain, "--skip-disable-keys", schema])
        quiet = "SET autocommit=0; SET foreign_key_checks=0; SET unique_checks=0;\n"
        (folder / f"{schema}.full.sql").write_text(f"{quiet}{full}\nCOMMIT;\n")
        rows = server.dump([*plain, "--no-create-info", "--skip-triggers", "--compact", schema])
        tables = server.query(
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
            order = sorted(self._schemas, key=lambda name: name not in ("neutron", "nova_cell1"))
            jobs = [
                pool.submit(self._server(name).run_file, folder / f"{name}.{kind}.sql", name)
                for name in order
            ]
            for job in jobs:
                job.result()
