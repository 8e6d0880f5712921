# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Users delete instances while they are rebuilt: at every step one of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Any

from expecting import require, wait
from lab_access import connect

from . import cloud, programs
from .bus import Messages
from .crash import BUILD, PREP, databases, keep_networks, say, several_transactions, with_cloud
from .expect import journal, require_built, require_gone, require_results, result_of
from .modules import Pause, Running, run, succeed

INFO = "cell0_instance_info"
# Deleted: planned, taken, prepared, intended, locked, sent, building. Not deleted: the last.
COUNT = 8


def delete(uuid: str) -> None:
    connect("-demo").compute.delete_server(uuid)


def delete_everywhere(uuids: Sequence[str]) -> None:
    planned, taken, *others = uuids
    messages = Messages()
    _while_prepared(planned, others[0])
    _after_taken(taken, others[1])
    succeed(PREP, {**databases(), "instances": others})
    _while_built(others)
    # Of those that were deleted while they were prepared, a build tells the same, and the journal.
    ended = succeed_or_not({**with_cloud(), "instances": [planned, taken]})
    require_results(ended, {planned: "deleted", taken: "deleted"})
    require_gone([planned, taken, *others[:-1]])
    require(journal(taken) == ["deleted"], f"the journal of the taken one: {journal(taken)}")
    require_built(others[-1:], messages)
    counts = messages.counts()
    require(not counts[planned] and not counts[taken] and not counts[others[0]], str(counts))
    require(not counts[others[1]], "one was submitted after it was deleted")
    say("deletions: at each of 7 steps it is reported, nothing is left, and the others go on")


def succeed_or_not(options: dict[str, Any]) -> dict[str, Any]:
    return Running(BUILD, options).end().result


def _while_prepared(planned: str, other: str) -> None:
    """Between the plan and the first change."""
    ready = Pause("planned", ("FOR UPDATE",), before=True)
    running = Running(PREP, {**databases(), "instances": [planned, other]}, pauses=[ready])
    running.reach("planned")
    delete(planned)
    running.go_on()
    result = running.end().result
    require_results(result, {planned: "deleted"}, "code")
    require_results(result, {other: "prepared"}, "state")
    require(result["error"]["code"] == "changed_meanwhile", str(result["error"]))


def _after_taken(taken: str, other: str) -> None:
    """Where the databases are changed by several transactions: after the first of them."""
    with several_transactions("recovery_deletions") as databases_of_two:
        options = {**databases_of_two, "instances": [taken, other]}
        # One is committed on each server.
        copied = Pause("taken", ("INSERT INTO .*rebuilds", "^COMMIT", "^COMMIT"))
        running = Running(PREP, options, pauses=[copied])
        running.reach("taken")
        require(journal(taken) == ["taken (open)"], f"not taken: {journal(taken)}")
        delete(taken)
        running.go_on()
        result = running.end().result
    require_results(result, {taken: "deleted"}, "code")
    require_results(result, {other: "prepared"}, "state")


def after_a_kill() -> None:
    """A run was killed when the BuildRequest was served, and the rows were still in cell1.

    Of those in cell0 Nova removes them: its API looks into the database that its own options name.
    """
    exposed = cloud.died("exposed")
    keep_networks([exposed])
    with several_transactions("recovery_deletions") as options:
        options["instances"] = [exposed]
        whole = run(PREP, {**options, "state": "prepared"})
        succeed(PREP, {**options, "state": "buried"})
        # Each step commits on two connections: the second one's on that of the API database.
        at = whole.lasting[2]
        require(run(PREP, options, kill_at=at).killed, f"it was not killed at {at}")
        require(_rows_left(exposed), "its rows are gone")
        delete(exposed)
        require(_rows_left(exposed), "Nova has removed its rows")
        (listed,) = succeed(INFO, {**options, "checks": []})["deleted"]
        require((listed["uuid"], listed["cells"]) == (exposed, ["cell1"]), f"listed: {listed}")
        result = succeed(PREP, options)
        require_results(result, {exposed: "deleted"}, "state")
        require(not _rows_left(exposed), "its rows are still there")
        require(journal(exposed) == ["restored", "deleted"], f"the journal: {journal(exposed)}")
        require(not succeed(INFO, {**options, "checks": []})["deleted"], "still listed")
    require_gone([exposed])
    say("after a kill: what was left of an instance that its user has deleted is found and removed")


def _rows_left(uuid: str) -> bool:
    return bool(
        cloud.sql(f"SELECT id FROM nova_cell1.instances WHERE uuid = '{uuid}' AND deleted = 0")
    )


def _while_built(uuids: Sequence[str]) -> None:
    """One before the build, and of one build: before, while and after it is submitted, and later."""
    prepared, intended, locked, sent, building, _stays = uuids
    delete(prepared)
    pauses = [
        Pause("intended", (f"submit_intended.*{intended}", "^COMMIT")),
        Pause("locked", (f"PUBLISH.*{locked}",), before=True),
        Pause("sent", (f"PUBLISH.*{sent}", "^COMMIT")),
    ]
    options = {**with_cloud(), "instances": list(uuids), "poll_interval": 1}
    with programs.frozen("neutron-api"):
        with programs.frozen("nova-super-conductor"):
            running = Running(BUILD, options, pauses=pauses)
            running.reach("intended")
            delete(intended)
            running.go_on()
            running.reach("locked")
            deleting = threading.Thread(target=delete, args=[locked])
            deleting.start()
            time.sleep(1)
            require(deleting.is_alive(), "its BuildRequest was deleted under the lock")
            running.go_on()
            running.reach("sent")
            deleting.join()
            delete(sent)
        running.go_on()
        # Its nova-compute waits for Neutron.
        wait("build that waits for a network", lambda: _has_host(building))
        delete(building)
    result = running.end().result
    gone = dict.fromkeys([prepared, intended, locked, sent, building], "deleted")
    require_results(result, {**gone, uuids[-1]: "active"})
    require(not result_of(result, prepared)["changed"], "the prepared one was submitted")


def _has_host(uuid: str) -> bool:
    statement = f"SELECT host FROM nova_cell1.instances WHERE uuid = '{uuid}'"
    return any(host for (host,) in cloud.sql(statement))
