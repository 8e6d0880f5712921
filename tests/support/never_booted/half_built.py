# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The conductor is killed: with messages in its queue, and half way through a batch."""

from __future__ import annotations

import getpass
import os
import time
from collections.abc import Sequence
from typing import Any

import pymysql
from expecting import require, wait
from lab_access import connect

from . import bus, cloud, programs
from .bus import Messages
from .crash import BUILD, PREP, databases, keep_networks, say, with_cloud
from .expect import journal, require_built, require_results, result_of
from .modules import Pause, Running, run, succeed
from .outages import SETTLE_SECONDS, conductor_listens

CONDUCTOR = "nova-super-conductor"


def start_conductor() -> None:
    programs.start(CONDUCTOR)
    wait("conductor that listens", conductor_listens)


def duplicate(uuid: str) -> None:
    """A second message would make the instance vanish: none is sent while one waits."""
    messages = Messages()
    succeed(PREP, {**databases(), "instances": [uuid]})
    options = {**with_cloud(), "instances": [uuid], "poll_interval": 1}
    at_message = Pause("at the message", (f"PUBLISH.*{uuid}",), before=True)
    running = Running(BUILD, {**options, "timeout": 3}, pauses=[at_message])
    running.reach("at the message")
    # Only now: a conductor that does not listen is not asked at all.
    programs.kill(CONDUCTOR)
    running.go_on()
    one = result_of(running.end().result, uuid)
    require(one["result"] == "stuck", f"nobody builds it: {one}")
    require(journal(uuid) == ["submitted (open)"], f"the journal has {journal(uuid)}")
    # However old it is, it is there.
    time.sleep(SETTLE_SECONDS)
    again = {**options, "settle_time": SETTLE_SECONDS, "timeout": 2}
    one = result_of(run(BUILD, again).result, uuid)
    require(one["result"] == "not_sent" and "not drained" in one["message"], f"again: {one}")
    # And as long as it may be at work, it is waited for.
    one = result_of(run(BUILD, {**options, "timeout": 2}).result, uuid)
    require(one["result"] == "stuck", f"again, with the default: {one}")
    require(bus.queue()[0] == 1 and messages.counts()[uuid] == 1, "it was sent again")
    start_conductor()
    require_results(succeed(BUILD, options), {uuid: "active"})
    require_built([uuid], messages)
    say("duplicate: the message waited, two more runs sent none, and it is built once")


def half_built() -> None:
    """As nova-conductor leaves a batch when it is killed, and an instance that it never heard of."""
    done, *halves = _kill_half_way()
    forgotten = cloud.create(connect("-demo"), {"name": "forgotten"})
    require(bus.lose_messages() == 1, "the message of a new instance was not in the queue")
    start_conductor()
    uuids = [*halves, forgotten]
    for uuid in uuids:
        _require_half_built(uuid, rows=uuid in halves)
    messages = Messages()
    keep_networks(uuids)
    options = {**with_cloud(), "instances": uuids, "poll_interval": 1}
    error = run(BUILD, options).result["error"]
    codes = {uuid: one["code"] for uuid, one in error["details"]["instances"].items()}
    require(error["code"] == "refused", f"they are young: {error}")
    require(codes == dict.fromkeys(uuids, "still_building"), f"they are young: {codes}")
    wait("end of the time", lambda: _are_old(uuids))
    result = succeed(BUILD, {**options, "settle_time": SETTLE_SECONDS})
    require_results(result, dict.fromkeys(uuids, "active"))
    require_built(uuids, messages)
    server = next(one for one in cloud.observe().values() if one["id"] == done)
    require(server["status"] == "ACTIVE" and len(server["guests"]) == 1, f"the first: {server}")
    say("half-built: repaired, and built once")


def _kill_half_way() -> list[str]:
    """One that is built, and two of which the conductor has written rows and nothing more."""
    demo = connect("-demo")
    with programs.frozen(CONDUCTOR):
        cloud.create(demo, {"name": "half", "min_count": 3, "max_count": 3})
        uuids = _in_order("half-")
        blocker = _locker()
        with blocker.cursor() as cursor:
            # The conductor waits here for the second one, with rows of all in the cell.
            cursor.execute(
                "SELECT id FROM nova_api.instance_mappings WHERE instance_uuid IN %s FOR UPDATE",
                (uuids[1:],),
            )
    wait("conductor that has built the first", lambda: not _has_request(uuids[0]))
    wait("rows of the others", lambda: all(_cell1_rows(uuid) for uuid in uuids[1:]))
    programs.kill(CONDUCTOR)
    blocker.rollback()
    blocker.close()
    return uuids


def _locker() -> Any:
    return pymysql.connect(
        unix_socket=os.environ["OPENSTACK_LAB_DATABASE_SOCKET"],
        user=getpass.getuser(),
        autocommit=False,
    )


def _in_order(names_start: str) -> list[str]:
    """In the order of their creation."""
    there = {s.id: s.name for s in connect("-demo").compute.servers()}
    uuids = [
        uuid
        for (uuid,) in cloud.sql("SELECT instance_uuid FROM nova_api.build_requests ORDER BY id")
    ]
    found = [uuid for uuid in uuids if there.get(uuid, "").startswith(names_start)]
    require(len(found) == 3, f"not three: {there}")
    return found


def _has_request(uuid: str) -> bool:
    return bool(cloud.stored(uuid)["nova_api.build_requests"])


def _cell1_rows(uuid: str) -> int:
    return int(cloud.stored(uuid).get("nova_cell1.instances", 0))


def _require_half_built(uuid: str, *, rows: bool) -> None:
    mapping = cloud.sql(
        f"SELECT cell_id FROM nova_api.instance_mappings WHERE instance_uuid = '{uuid}'"
    )
    stored = cloud.stored(uuid)
    require(mapping == [(None,)] and _has_request(uuid), f"not left behind: {mapping} {stored}")
    require(bool(_cell1_rows(uuid)) == rows, f"rows in the cell: {stored}")


def _are_old(uuids: Sequence[str]) -> bool:
    shown = ", ".join(f"'{uuid}'" for uuid in uuids)
    rows = cloud.sql(
        "SELECT COUNT(*) FROM nova_api.build_requests WHERE instance_uuid IN"
        f" ({shown}) AND created_at > UTC_TIMESTAMP() - INTERVAL {SETTLE_SECONDS + 1} SECOND"
    )
    rows += cloud.sql(
        "SELECT COUNT(*) FROM nova_cell1.instances WHERE uuid IN"
        f" ({shown}) AND COALESCE(updated_at, created_at) > UTC_TIMESTAMP()"
        f" - INTERVAL {SETTLE_SECONDS + 1} SECOND"
    )
    return not any(count for (count,) in rows)
