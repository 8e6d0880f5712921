"""One MariaDB server: create its files, ask it, run scripts, dump schemas."""

from __future__ import annotations

import getpass
import shutil
import subprocess
from pathlib import Path
from typing import IO

from .console import LabError
from .settings import Settings


class Server:
    """A MariaDB through its unix socket, by the command-line client."""

    def __init__(self, settings: Settings, name: str) -> None:
        self._settings = settings
        self._name = name
        self._socket = f"--socket={settings.database_socket(name)}"

    def create_files(self) -> None:
        """An empty data folder; its root account is the user who runs the lab."""
        shutil.rmtree(self._settings.state / self._name, ignore_errors=True)
        user = getpass.getuser()
        command = [
            "mariadb-install-db",
            f"--defaults-file={self._settings.etc}/{self._name}.cnf",
            "--auth-root-authentication-method=socket",
            f"--auth-root-socket-user={user}",
            "--skip-test-db",
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise LabError(f"mariadb-install-db failed:\n{done.stdout}{done.stderr}")

    def answers(self) -> bool:
        return self._client(["-e", "SELECT 1"], check=False).returncode == 0

    def query(self, sql: str) -> list[list[str]]:
        output = self._client(["-e", sql]).stdout
        return [line.split("\t") for line in output.splitlines()]

    def run_file(self, path: Path, schema: str) -> None:
        with path.open() as script:
            self._client([schema], stdin=script)

    def dump(self, arguments: list[str]) -> str:
        command = ["mariadb-dump", "--no-defaults", self._socket, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise LabError(f"mariadb-dump: {done.stderr.strip()}")
        return done.stdout

    def _client(
        self, arguments: list[str], stdin: IO[str] | None = None, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        command = ["mariadb", "--no-defaults", self._socket, "--batch", "--skip-column-names"]
        done = subprocess.run(
            [*command, *arguments],
            stdin=subprocess.DEVNULL if stdin is None else stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        if check and done.returncode != 0:
            raise LabError(f"{self._name}: {done.stderr.strip()}")
        return done
