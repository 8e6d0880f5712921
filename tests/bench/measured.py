# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A process of its own, which tells what it took: a module, or the SQL that a module has sent.

python measured.py module NAME OPTIONS_FILE RESULT_FILE [RECORD_FILE]
python measured.py replay RECORD_FILE

Prints one line of JSON: seconds and CPU seconds since the process began, and peak memory in MiB.
A recorded run is slower; what is timed is not recorded.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import struct
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pymysql
import pymysql.connections

# Before each statement: bytes of its text, and how many rows it changed or gave.
_HEAD = struct.Struct("<QQ")


def record_statements(file: IO[bytes]) -> None:
    """Have every statement of every connection written down, in its final text."""
    query = pymysql.connections.Connection.query

    def recorded(connection: Any, sql: str | bytes | bytearray, unbuffered: bool = False) -> int:
        rows = query(connection, sql, unbuffered)
        text = sql.encode("utf-8", "surrogateescape") if isinstance(sql, str) else bytes(sql)
        file.write(_HEAD.pack(len(text), rows) + text)
        return rows

    pymysql.connections.Connection.query = recorded  # type: ignore[method-assign,assignment]


def recorded_statements(record: Path) -> Iterator[tuple[bytes, int]]:
    """Each statement with its number of rows, never more than one in memory."""
    with record.open("rb") as file:
        while head := file.read(_HEAD.size):
            length, rows = _HEAD.unpack(head)
            yield file.read(length), rows


def run_module(name: str, options: Path, result: Path, record: Path | None) -> None:
    # Not in a process that only replays. PYTHONPATH leads to tests/support.
    patch_module_args = importlib.import_module("ansible.module_utils.testing").patch_module_args
    modules = importlib.import_module("never_booted.modules")
    modules.use_collections()
    module = modules.load(name)
    with contextlib.ExitStack() as stack:
        if record is not None:
            record_statements(stack.enter_context(record.open("wb")))
        out = stack.enter_context(result.open("w", encoding="utf-8"))
        stack.enter_context(contextlib.redirect_stdout(out))
        stack.enter_context(contextlib.suppress(SystemExit))
        stack.enter_context(patch_module_args(json.loads(options.read_text(encoding="utf-8"))))
        module.main()


def replay(record: Path) -> None:
    """The same statements by a bare connection; what they give is read and dropped."""
    connection = pymysql.connect(
        unix_socket=os.environ["OPENSTACK_LAB_DATABASE_SOCKET"],
        user="root",
        charset="utf8mb4",
        autocommit=True,
    )
    for number, (statement, rows) in enumerate(recorded_statements(record), start=1):
        if connection.query(statement) != rows:
            sys.exit(f"statement {number} does not do what it did: {statement[:300]!r}")
    connection.close()


def _since_start() -> float:
    fields = Path("/proc/self/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return time.clock_gettime(time.CLOCK_BOOTTIME) - int(fields[19]) / os.sysconf("SC_CLK_TCK")


def _peak_mebibytes() -> float:
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0


def main(arguments: list[str]) -> None:
    match arguments:
        case ["module", name, options, result, *record]:
            to = Path(record[0]) if record else None
            run_module(name, Path(options), Path(result), to)
        case ["replay", record]:
            replay(Path(record))
        case _:
            sys.exit(__doc__)
    told = {"seconds": _since_start(), "cpu": time.process_time(), "peak": _peak_mebibytes()}
    print(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1:])
