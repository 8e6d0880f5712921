# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A journal with old entries, and what a purge has left of it.

python3 -m never_booted.purge age UUID FILE   prepares that buried instance, then has all but some be old
python3 -m never_booted.purge nothing FILE    fails if an entry is gone
python3 -m never_booted.purge removed FILE    fails if an old closed one is there, or another is not
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from expecting import require

from . import cloud
from .crash import PREP, databases, say
from .modules import succeed, use_collections

# Closed entries that stay: some of today, and one that is not old enough.
YOUNG = 3
RETENTION_DAYS = 90
# More than a purge removes at once.
MANY = 1100


def age(uuid: str, file: Path) -> None:
    succeed(PREP, {**databases(), "instances": [uuid]})
    closed = _ids("is_open IS NULL")
    require(len(closed) > YOUNG + 1, f"only {len(closed)} entries are closed")
    _make_many_of(closed[0])
    closed = _ids("is_open IS NULL")
    *old, almost = closed[YOUNG:]
    _make_older(_ids("is_open = 1") + old, RETENTION_DAYS + 1)
    _make_older([almost], RETENTION_DAYS - 1)
    kept = _ids("is_open = 1") + closed[:YOUNG] + [almost]
    file.write_text(json.dumps({"uuid": uuid, "old": old, "kept": kept}), encoding="utf-8")
    say(f"{len(old)} entries ended long ago, {len(kept)} did not")


def _ids(condition: str) -> list[int]:
    rows = cloud.sql(
        f"SELECT id FROM nova_recovery.rebuilds WHERE {condition} ORDER BY id", cell0=True
    )
    return [number for (number,) in rows]


def _make_many_of(number: int) -> None:
    names = cloud.sql(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = 'nova_recovery'"
        " AND table_name = 'rebuilds' AND column_name <> 'id'",
        cell0=True,
    )
    columns = ", ".join(name for (name,) in names)
    cloud.sql(
        f"INSERT INTO nova_recovery.rebuilds ({columns}) SELECT {columns} FROM"
        f" nova_recovery.rebuilds JOIN nova_recovery.seq_1_to_{MANY} WHERE id = {number}",
        cell0=True,
    )
    cloud.sql(
        "INSERT INTO nova_recovery.steps (rebuild_id, state, run_id, operator, detail, reached_at)"
        " SELECT id, state, run_id, operator, '', updated_at FROM nova_recovery.rebuilds"
        " WHERE id NOT IN (SELECT rebuild_id FROM nova_recovery.steps)",
        cell0=True,
    )


def _make_older(numbers: list[int], days: int) -> None:
    shown = ", ".join(map(str, numbers))
    cloud.sql(
        f"UPDATE nova_recovery.rebuilds SET updated_at = updated_at - INTERVAL {days} DAY"
        f" WHERE id IN ({shown})",
        cell0=True,
    )


def require_nothing_removed(file: Path) -> None:
    noted = json.loads(file.read_text(encoding="utf-8"))
    wanted = sorted(noted["old"] + noted["kept"])
    require(_ids("TRUE") == wanted, "check mode has removed entries")


def require_removed(file: Path) -> None:
    noted = json.loads(file.read_text(encoding="utf-8"))
    kept = sorted(noted["kept"])
    require(_ids("TRUE") == kept, f"{_ids('TRUE')} are left instead of {kept}")
    rows = cloud.sql("SELECT DISTINCT rebuild_id FROM nova_recovery.steps ORDER BY 1", cell0=True)
    require([number for (number,) in rows] == kept, f"steps are left of {rows}")
    # The copy of the open one is there.
    back = {**databases(), "instances": [noted["uuid"]], "state": "buried"}
    require(succeed(PREP, back)["changed"], "it was not put back")
    say(f"{len(noted['old'])} entries are gone, {len(kept)} are not, and the open one was put back")


def main(arguments: list[str]) -> None:
    use_collections()
    match arguments:
        case ["age", uuid, file]:
            age(uuid, Path(file))
        case ["nothing", file]:
            require_nothing_removed(Path(file))
        case ["removed", file]:
            require_removed(Path(file))
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
