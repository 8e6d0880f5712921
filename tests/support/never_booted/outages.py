# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""RabbitMQ and MariaDB are killed, and come back, while instances are prepared and built."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from expecting import require, wait
from lab_access import connect

from . import bus, cloud, programs
from .bus import Messages
from .crash import BUILD, PREP, databases, is_prepared, say, with_cloud
from .expect import journal, require_built, require_results, result_of
from .modules import Pause, Running, run, succeed

# How long a message may be at work, here where little else is.
SETTLE_SECONDS = 15


def computes_up() -> bool:
    services = [s for s in connect().compute.services() if s.binary == "nova-compute"]
    return all(service.state == "up" for service in services)


def conductor_listens() -> bool:
    return bus.queue()[1] > 0


def rabbit(uuids: Sequence[str]) -> None:
    """Down before the run, and dying at the very message."""
    first, second = uuids
    succeed(PREP, {**databases(), "instances": uuids})
    options = {**with_cloud(), "poll_interval": 1}
    programs.kill("rabbitmq")
    result = run(BUILD, {**options, "instances": [first], "timeout": 2}).result
    one = result_of(result, first)
    require(one["result"] == "not_sent", f"with RabbitMQ down: {one}")
    require(one["code"] == "message_bus_unavailable", f"with RabbitMQ down: {one}")
    require(result["error"]["retriable"], f"not retriable: {result['error']}")
    require(journal(first) == ["prepared (open)"], f"the journal has {journal(first)}")
    start_rabbit()
    at_message = Pause("at the message", (f"PUBLISH.*{second}",), before=True)
    running = Running(BUILD, {**options, "instances": [second], "timeout": 3}, pauses=[at_message])
    running.reach("at the message")
    programs.kill("rabbitmq")
    running.go_on()
    one = result_of(running.end().result, second)
    require((one["result"], one["code"]) == ("stuck", "message_in_doubt"), f"in doubt: {one}")
    require(journal(second) == ["submit_intended (open)"], f"the journal has {journal(second)}")
    start_rabbit()
    messages = Messages()
    # Nobody knows of the second one until it is older than a message can be.
    result = succeed(
        BUILD, {**options, "instances": list(uuids), "settle_time": SETTLE_SECONDS, "timeout": 240}
    )
    require_results(result, dict.fromkeys(uuids, "active"))
    require_built(uuids, messages)
    say("rabbit: down at the beginning and at the message, each built once")


def start_rabbit() -> None:
    """After it was killed: once Nova works again."""
    programs.start("rabbitmq")
    wait("conductor that listens", conductor_listens)
    wait("hosts that are up", computes_up)


def mariadb(uuids: Sequence[str]) -> None:
    """Killed within a transaction, at its end, before a run, and twice while it builds."""
    # The lab's server loses the last second when it is killed; a cloud's does not.
    _be_durable()
    options = {**databases(), "instances": list(uuids)}
    _prepare_and_kill(options, "prepared", Pause("middle", ("INSERT INTO .*build_requests",)))
    require(all(is_prepared(uuid) for uuid in uuids), "not all were prepared")
    _prepare_and_kill(options, "buried", Pause("end", ("DELETE FROM", "^COMMIT"), before=True))
    programs.kill("mariadb")
    result = run(PREP, options).result
    error = result["error"]
    require(error["code"] == "database_unavailable" and error["retriable"], f"error: {error}")
    _start_mariadb()
    result = succeed(PREP, options)
    require_results(result, dict.fromkeys(uuids, "prepared"), "state")
    built = uuids[:5]
    _build_and_kill(built)
    say("mariadb: killed five times, 20 are prepared, those that are built are built once")


def _prepare_and_kill(options: dict[str, Any], state: str, pause: Pause) -> None:
    running = Running(PREP, {**options, "state": state}, pauses=[pause])
    running.reach(pause.name)
    programs.kill("mariadb")
    _start_mariadb()
    running.go_on()
    result = running.end().result
    require(not result.get("failed"), f"it does not go on by itself: {str(result)[:2000]}")
    require(all(one["changed"] for one in result["instances"]), f"not changed: {result}")


def _build_and_kill(uuids: Sequence[str]) -> None:
    messages = Messages()
    first, second = uuids[:2]
    pauses = [
        # What it has locked is locked no more.
        Pause("locked", (f"build_requests.*{first}.*FOR UPDATE",)),
        # The message is sent; nobody heard of the end of its transaction.
        Pause("sent", (f"PUBLISH.*{second}",)),
    ]
    options = {**with_cloud(), "instances": list(uuids), "poll_interval": 1, "timeout": 300}
    running = Running(BUILD, options, pauses=pauses)
    running.reach("locked")
    programs.kill("mariadb")
    _start_mariadb()
    running.go_on()
    # A conductor whose database dies would fail by itself.
    with programs.frozen("nova-super-conductor"):
        running.reach("sent")
        programs.kill("mariadb")
        _start_mariadb()
    running.go_on()
    result = running.end().result
    require_results(result, dict.fromkeys(uuids, "active"))
    require_built(uuids, messages)


def _start_mariadb() -> None:
    programs.start("mariadb")
    _be_durable()
    # Long enough for those that did not report to be seen as down, and then up again.
    time.sleep(2)
    wait("hosts that are up", computes_up)


def _be_durable() -> None:
    wait("database", lambda: cloud.sql("SET GLOBAL innodb_flush_log_at_trx_commit = 2") == [])
