# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kills the modules by SIGKILL before and after every SQL statement and every message.

    python3 -m never_booted.crash prep     cell0_rebuild_prep, in both states
    python3 -m never_booted.crash build    instance_build, from its start to after the message
    python3 -m never_booted.crash several  both, where each step is a transaction on two connections:
                                           after each commit and message; else nothing has changed

After each kill the compute API must still know the instance. The next run must end well: prepared,
or back in cell0 with every row as it was, or ACTIVE with one guest.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from expecting import require
from lab_access import connect

from . import cloud
from .database_account import account
from .modules import Run, run, succeed, use_collections

PREP = "cell0_rebuild_prep"
BUILD = "instance_build"
# How long a message may be at work, here where nothing else is.
SETTLE_SECONDS = 25
# Instances for the kills after something was written.
_POOL = 100


def databases() -> dict[str, Any]:
    return {"nova_conf": [os.environ["OPENSTACK_LAB_NOVA_CONF"]]}


def with_cloud() -> dict[str, Any]:
    return {**databases(), "cloud": os.environ["OS_CLOUD"]}


def say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


def rows_of(uuid: str) -> dict[str, list[tuple[Any, ...]]]:
    """Everything that cell0 and the API database hold of it, but for times of a mapping."""
    found = {}
    for table, column in cloud.CELL_TABLES.items():
        statement = f"SELECT * FROM nova_cell0.{table} WHERE {column} = '{uuid}'"
        found[table] = cloud.sql(statement, cell0=True)
    found["events"] = cloud.sql(
        "SELECT e.* FROM nova_cell0.instance_actions_events e JOIN nova_cell0.instance_actions a"
        f" ON a.id = e.action_id WHERE a.instance_uuid = '{uuid}'",
        cell0=True,
    )
    found["mapping"] = cloud.sql(
        "SELECT cell_id, queued_for_delete FROM nova_api.instance_mappings"
        f" WHERE instance_uuid = '{uuid}'"
    )
    found["spec"] = cloud.sql(
        f"SELECT spec FROM nova_api.request_specs WHERE instance_uuid = '{uuid}'"
    )
    found["requests"] = cloud.sql(
        f"SELECT COUNT(*) FROM nova_api.build_requests WHERE instance_uuid = '{uuid}'"
    )
    return found


def is_prepared(uuid: str) -> bool:
    stored = cloud.stored(uuid)
    left = [name for name in stored if name.startswith("nova_cell")]
    return not left and stored["nova_api.build_requests"] == 1


class Matrix:
    """One instance that is prepared and put back, again and again.

    :param name: of the instance.
    :param options: of the databases.
    :param lasting: kill only when something more is stored than before.
    """

    def __init__(self, name: str, options: dict[str, Any], *, lasting: bool = False) -> None:
        self._demo = connect("-demo")
        self._name = name
        self._uuid = cloud.bury([{"name": name}])[name]
        keep_networks([self._uuid])
        self._options = {**options, "instances": [self._uuid]}
        self._lasting = lasting
        self._before = rows_of(self._uuid)

    def prep(self) -> None:
        prepared = {**self._options, "state": "prepared"}
        buried = {**self._options, "state": "buried"}
        succeed(PREP, prepared)
        succeed(PREP, buried)
        self._expect_buried("after the first round")
        self._kill_everywhere("prepared", prepared, self._then_prepared)
        self._kill_everywhere("buried", buried, self._then_buried, before=prepared)
        cloud.set_room(room=True)
        succeed(PREP, prepared)
        succeed(BUILD, {**self._options, **with_cloud(), "timeout": 180})
        server = cloud.observe()[self._name]
        require(server["status"] == "ACTIVE" and len(server["guests"]) == 1, str(server))
        say("and it boots in the end")

    def _kill_everywhere(
        self,
        name: str,
        options: dict[str, Any],
        then: Callable[[int], None],
        before: dict[str, Any] | None = None,
    ) -> None:
        if before:
            succeed(PREP, before)
        whole = run(PREP, options)
        points = _points(whole, lasting=self._lasting)
        then(0)
        say(f"{name}: {len(points)} points")
        begun = False
        found: tuple[Any, ...] = ()
        for point in points:
            if not begun:
                if before:
                    succeed(PREP, before)
                found = self._state()
            require(run(PREP, options, kill_at=point).killed, f"{name} {point} was not killed")
            status = self._demo.compute.get_server(self._uuid).status
            require(status in ("ERROR", "BUILD"), f"{name} {point}: the API says {status}")
            # The first kills change nothing: what follows is what followed the one before.
            begun = self._state() == found
            if not begun:
                then(point)
        if begun:
            then(points[-1])
        say(f"{name}: killed at each of them, nothing lost")

    def _state(self) -> tuple[Any, ...]:
        """All that the module writes to."""
        return rows_of(self._uuid), steps_of(self._uuid)

    def _then_prepared(self, point: int) -> None:
        succeed(PREP, {**self._options, "state": "prepared"})
        require(is_prepared(self._uuid), f"not prepared after a kill at {point}")
        succeed(PREP, {**self._options, "state": "buried"})
        self._expect_buried(f"after a kill at {point}")

    def _then_buried(self, point: int) -> None:
        succeed(PREP, {**self._options, "state": "buried"})
        self._expect_buried(f"after a kill at {point}")

    def _expect_buried(self, when: str) -> None:
        now = rows_of(self._uuid)
        different = [name for name in now if now[name] != self._before[name]]
        require(not different, f"{when} these are not as they were: {different}")


def _points(whole: Run, *, lasting: bool) -> list[int]:
    return list(whole.lasting) if lasting else list(range(1, whole.events + 1))


def keep_networks(uuids: list[str]) -> None:
    options = {**with_cloud(), "instances": uuids, "networks": [{"network": "lab-net"}]}
    succeed("network_request", options)


def build(name: str, given: dict[str, Any], *, lasting: bool = False) -> None:
    options = {**given, **with_cloud(), "settle_time": SETTLE_SECONDS, "poll_interval": 1}
    points = _points(_a_build(f"{name}-count", options), lasting=lasting)
    say(f"build: {len(points)} points")
    # Each instance is for one kill, or for none.
    pool = cloud.bury_batch(f"{name}-build", len(points) + 1 if lasting else _POOL)
    keep_networks(pool)
    succeed(PREP, {**given, "instances": pool})
    cloud.set_room(room=True)
    waiting, used = list(pool), []
    for point in points:
        require(waiting, f"{len(pool)} instances do not suffice")
        uuid = waiting[0]
        one: Run = run(BUILD, {**options, "instances": [uuid]}, kill_at=point)
        require(one.killed, f"build {point} was not killed")
        require(cloud.stored(uuid)["nova_api.instance_mappings"] == 1, f"{point}: no mapping")
        if steps_of(uuid) != ["taken", "prepared"]:
            # The first kills change nothing: the same instance serves them all.
            used.append(waiting.pop(0))
    say(f"build: killed at each of them, {len(used)} after something was written")
    uuids = [*used, *waiting[:1]]
    succeed(BUILD, {**options, "instances": uuids, "concurrency": 12, "timeout": 900})
    seen = {server["id"]: server for server in cloud.observe().values()}
    for uuid in uuids:
        server = seen[uuid]
        require(server["status"] == "ACTIVE", str(server))
        require(len(server["guests"]) == 1, f"guests on {server['guests']}")
        require(len(server["ports"]) == 1, str(server["ports"]))
    say(f"build: all {len(uuids)} are ACTIVE, each with one guest")


def steps_of(uuid: str) -> list[str]:
    """Every state that the journal has had it in."""
    steps = cloud.sql(
        "SELECT s.state FROM nova_recovery.steps s JOIN nova_recovery.rebuilds r"
        f" ON r.id = s.rebuild_id WHERE r.instance_uuid = '{uuid}' ORDER BY s.id",
        cell0=True,
    )
    return [str(state) for (state,) in steps]


@contextlib.contextmanager
def several_transactions(name: str) -> Iterator[dict[str, Any]]:
    """Accounts that may not change each other's schemas are to the modules what two servers are."""
    with account(name, ["SELECT, INSERT, UPDATE, DELETE ON `nova_api`.*"]) as url:
        yield {**databases(), "api_database": url}


def several() -> None:
    with several_transactions("recovery_crash") as options:
        Matrix("several", options, lasting=True).prep()
        build("several", options, lasting=True)


def _a_build(name: str, options: dict[str, Any]) -> Run:
    """Up to the first look after the message; what follows is the same look again and again."""
    uuid = cloud.bury([{"name": name}])[name]
    keep_networks([uuid])
    succeed(PREP, {**databases(), "instances": [uuid]})
    # Nothing takes it: it is looked at once, and then the time is over.
    done = run(BUILD, {**options, "instances": [uuid], "timeout": 1, "poll_interval": 2})
    require(done.result.get("instances"), f"no build: {done.result}")
    return done


def main(arguments: list[str]) -> None:
    use_collections()
    match arguments:
        case ["prep"]:
            Matrix("crash", databases()).prep()
        case ["build"]:
            build("crash", databases())
        case ["several"]:
            several()
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
