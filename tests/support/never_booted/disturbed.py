# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rebuilds never-booted instances while others and failures are in the way.

python3 -m never_booted.disturbed prepare        buries what the others need, then makes room
python3 -m never_booted.disturbed twice          two runs at the very same moment
python3 -m never_booted.disturbed deletions      users delete instances, at every step
python3 -m never_booted.disturbed after-a-kill   one deletes what a killed run has left in a cell
python3 -m never_booted.disturbed rabbit         RabbitMQ is down at the message
python3 -m never_booted.disturbed mariadb        MariaDB is killed in the middle
python3 -m never_booted.disturbed duplicate      a message waits in the queue, and another run comes
python3 -m never_booted.disturbed half-built     the conductor is killed half way, and forgets one
"""

from __future__ import annotations

import sys
from typing import Any

from expecting import require

from . import cloud, deletions, half_built, outages
from .bus import Messages
from .crash import (
    BUILD,
    PREP,
    databases,
    is_prepared,
    keep_networks,
    say,
    several_transactions,
    with_cloud,
)
from .expect import require_built, require_results, result_of, uuids_of
from .modules import Pause, Running, use_collections

COUNTS = {"twice": 6, "deletions": deletions.COUNT, "rabbit": 2, "mariadb": 20, "duplicate": 1}


def prepare() -> None:
    cloud.bury(
        [
            {"name": name, "min_count": count, "max_count": count}
            for name, count in COUNTS.items()
            if count > 1
        ]
        + [{"name": f"{name}-1"} for name, count in COUNTS.items() if count == 1]
    )
    keep_networks([uuid for name, count in COUNTS.items() for uuid in uuids_of(name, count)])
    cloud.set_room(room=True)


def twice() -> None:
    """Each is prepared and built by one of them; the other waits, and ends well too."""
    uuids = uuids_of("twice", COUNTS["twice"])
    messages = Messages()
    # Neither has a journal yet: they make it together, too.
    first = Pause("no journal", ("CREATE DATABASE",), before=True)
    _twice(uuids[:3], databases(), [first])
    with several_transactions("recovery_twice") as options:
        _twice(uuids[3:], options, [])
    require_built(uuids, messages)
    say("twice: each of 6 was prepared once and built once")


def _twice(uuids: list[str], options: dict[str, Any], pauses: list[Pause]) -> None:
    # The first statement that locks or changes anything of an instance.
    ready = Pause("ready", ("FOR UPDATE|UPDATE .*rebuilds",), before=True)
    changed = _run_both(PREP, {**options, "instances": uuids}, [*pauses, ready])
    # In several transactions one may take what the other has taken: both have changed something.
    once = sorted(set(changed) if "api_database" in options else changed)
    require(once == uuids, f"not each was prepared once: {changed}")
    require(all(map(is_prepared, uuids)), "not each is prepared")
    build = {**options, **with_cloud(), "instances": uuids, "poll_interval": 1}
    changed = _run_both(BUILD, build, [ready])
    require(sorted(changed) == uuids, f"not each was submitted by one: {changed}")


def _run_both(name: str, options: dict[str, Any], pauses: list[Pause]) -> list[str]:
    """Two processes that wait for each other at each pause; the uuids that each has changed."""
    both = [Running(name, {**options, "run_id": run}, pauses=pauses) for run in ("one", "two")]
    for pause in pauses:
        for running in both:
            running.reach(pause.name)
        for running in both:
            running.go_on()
    changed = []
    for running in both:
        result = running.end().result
        require(not result.get("failed"), f"{name} has failed: {str(result)[:2000]}")
        if name == BUILD:
            require_results(result, dict.fromkeys(options["instances"], "active"))
        uuids = [str(one["uuid"]) for one in result["instances"]]
        changed += [uuid for uuid in uuids if result_of(result, uuid)["changed"]]
    return changed


def main(arguments: list[str]) -> None:
    use_collections()
    match arguments:
        case ["prepare"]:
            prepare()
        case ["twice"]:
            twice()
        case ["deletions"]:
            deletions.delete_everywhere(uuids_of("deletions", COUNTS["deletions"]))
        case ["after-a-kill"]:
            deletions.after_a_kill()
        case ["rabbit"]:
            outages.rabbit(uuids_of("rabbit", COUNTS["rabbit"]))
        case ["mariadb"]:
            outages.mariadb(uuids_of("mariadb", COUNTS["mariadb"]))
        case ["duplicate"]:
            half_built.duplicate(uuids_of("duplicate", COUNTS["duplicate"])[0])
        case ["half-built"]:
            half_built.half_built()
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
