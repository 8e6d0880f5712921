# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An event source for ansible-rulebook: what Nova itself announces on its message bus.

ansible-rulebook runs this file by its path, so it can import nothing of the collection by name.
"""

from __future__ import annotations

import asyncio
import collections
import logging
import re
import runpy
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ansible_collections.openstack_recovery.nova.extensions.eda.plugins.module_utils import (
        event_source,
        message_bus,
    )
else:
    _SHARED = Path(__file__).parents[1] / "module_utils"
    event_source = SimpleNamespace(**runpy.run_path(str(_SHARED / "event_source.py")))
    message_bus = SimpleNamespace(**runpy.run_path(str(_SHARED / "message_bus.py")))

DOCUMENTATION = r"""
name: nova_notifications
short_description: Listen to Nova's notifications about builds that failed and services that changed
version_added: 0.4.0
description:
  - Listens on Nova's message bus (RabbitMQ) for versioned and unversioned notifications. Nova sends
    them where C([oslo_messaging_notifications]driver) of its nova.conf is C(messagingv2).
  - A build that failed is an event C({event_type, timestamp, instance}); C(event_type) is
    V(compute_task.build_instances.error) or V(instance.create.error), the versioned name also where
    Nova sends unversioned notifications, and C(instance) is the UUID. Where Nova sends both, there
    is one event.
  - A service that was changed, for example forced down or disabled, is an event C({event_type,
    timestamp, host, binary, disabled, forced_down}); C(event_type) is V(service.update). Nova has
    it in versioned notifications only.
  - Nothing else of a notification is handed on. Unversioned ones about builds hold the user's token.
  - The queue is its own, so that nobody who listens, telemetry for example, gets less. Without
    O(pool) it goes with the connection, and what is announced meanwhile is not heard of. It has a
    limit; beyond it the oldest notifications are dropped.
  - It connects again by itself. While the rules are busy it holds at most O(max_queue) events, and
    the others wait in the queue.
options:
  transport_url_file:
    type: str
    description:
      - A file that holds the URL of the message bus, as in C([oslo_messaging_notifications]transport_url),
        else C([DEFAULT]transport_url), of nova.conf. It is read anew for each connection.
  transport_url: {type: str, description: The URL itself. Better in a file.}
  control_exchange: {type: str, default: nova, description: As in nova.conf.}
  topics:
    type: list
    elements: str
    default: [notifications, versioned_notifications]
    description:
      - C([oslo_messaging_notifications]topics) and C([notifications]versioned_notifications_topics) of
        nova.conf.
  event_types:
    type: list
    elements: str
    choices: [compute_task.build_instances.error, instance.create.error, service.update]
    description: Which are wanted. All by default.
  pool:
    type: str
    description:
      - Name of a queue that is kept while nobody listens, for O(expires) seconds. Sources with one
        name share the notifications, so give each rulebook its own. Its queue must be deleted when
        its limits are to change.
  expires: {type: int, default: 3600, description: Seconds for which the queue of a O(pool) is kept.}
  max_queue: {type: int, default: 1000, description: Events that may wait for the rules.}
  queue_max_length: {type: int, default: 10000, description: Messages that its queue may hold.}
  queue_max_bytes: {type: int, default: 67108864, description: Bytes that its queue may hold.}
  ssl: {type: bool, default: false, description: "TLS; so does C(?ssl=1) in the URL."}
  ssl_ca_file: {type: str, description: CA certificates. Those of the system by default.}
  ssl_cert_file: {type: str, description: Client certificate.}
  ssl_key_file: {type: str, description: Its key.}
  ssl_check_hostname:
    type: bool
    default: true
    description: Whether the certificate must name the host of the URL.
  heartbeat: {type: int, default: 30, description: Seconds after which a silent broker is left.}
requirements:
  - amqp (comes with oslo.messaging)
"""

EXAMPLES = r"""
- openstack_recovery.nova.nova_notifications:
    transport_url_file: /etc/ansible-rulebook/notifications_url
    event_types: [service.update]
"""

LOG = logging.getLogger("openstack_recovery.nova.nova_notifications")

SERVICE = "service.update"
EVENT_TYPES = (*message_bus.FAILURES.values(), SERVICE)
# What host names and binaries are made of; nothing that Jinja, YAML or a shell reads.
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._:-]{0,254}")
_TIME = re.compile(r"[0-9T:. +Z-]{1,40}")
# For how long a notification of the other format may be the same.
_TWIN_SECONDS = 60.0
_TWINS = 10_000


@dataclass(frozen=True, kw_only=True)
class Settings(message_bus.BusSettings):
    """The arguments, as DOCUMENTATION describes them."""

    event_types: list[str] = field(default_factory=lambda: list(EVENT_TYPES))
    pool: str = ""
    expires: int = 3600
    max_queue: int = 1000

    def check(self) -> None:
        """:raises ValueError: for what does not go together."""
        super().check()
        if not self.event_types or not all(each in EVENT_TYPES for each in self.event_types):
            raise ValueError(f"event_types must be a list of {', '.join(EVENT_TYPES)}")
        if self.pool and not _NAME.fullmatch(self.pool):
            raise ValueError("pool must be a name of letters, digits and ._-")

    @property
    def queue(self) -> message_bus.OwnQueue:
        priorities = ["info"] if SERVICE in self.event_types else []
        if set(self.event_types) - {SERVICE}:
            priorities.append("error")
        return message_bus.OwnQueue(
            source="nova_notifications",
            exchange=self.control_exchange,
            keys=[f"{topic}.{priority}" for topic in self.topics for priority in priorities],
            max_length=self.queue_max_length,
            max_bytes=self.queue_max_bytes,
            pool=self.pool,
            expires=self.expires,
        )


class Notifications:
    """Makes events of notifications.

    :param clock: seconds.
    """

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self._wanted = frozenset(settings.event_types)
        self._clock = clock
        # Of what was announced: its format and when.
        self._seen: collections.OrderedDict[tuple[str, str], tuple[bool, float]]
        self._seen = collections.OrderedDict()

    def event(self, body: str) -> dict[str, Any] | None:
        """What the rules see of a message, or None where it is nothing for them."""
        # Most are about something else, and reading one costs more than looking for a word.
        if not any(each in body for each in (*message_bus.FAILURES, SERVICE, *self._wanted)):
            return None
        notification = message_bus.notification_of(body)
        if notification is None:
            return None
        found = _failure(notification) or _service(notification)
        if found is None or found["event_type"] not in self._wanted:
            return None
        if "instance" in found and self._is_twin(notification["event_type"], found):
            return None
        return {**found, "timestamp": _timestamp(notification)}

    def _is_twin(self, event_type: str, found: Mapping[str, Any]) -> bool:
        """Whether the same was announced in the other format just now."""
        now = self._clock()
        key, versioned = (found["event_type"], found["instance"]), event_type in EVENT_TYPES
        earlier = self._seen.pop(key, None)
        if earlier is not None and earlier[0] != versioned and now - earlier[1] < _TWIN_SECONDS:
            return True
        self._seen[key] = (versioned, now)
        if len(self._seen) > _TWINS:
            self._seen.popitem(last=False)
        return False


def _failure(notification: Mapping[str, Any]) -> dict[str, Any] | None:
    failure = message_bus.failure_of(notification)
    return None if failure is None else {"event_type": failure[0], "instance": failure[1]}


def _service(notification: Mapping[str, Any]) -> dict[str, Any] | None:
    payload = notification.get("payload")
    fields = payload.get("nova_object.data") if isinstance(payload, dict) else None
    if notification.get("event_type") != SERVICE or not isinstance(fields, dict):
        return None
    host, binary = fields.get("host"), fields.get("binary")
    if not all(isinstance(name, str) and _NAME.fullmatch(name) for name in (host, binary)):
        LOG.warning("a service whose host or binary is no plain name is left out")
        return None
    return {
        "event_type": SERVICE,
        "host": host,
        "binary": binary,
        "disabled": fields.get("disabled") is True,
        "forced_down": fields.get("forced_down") is True,
    }


def _timestamp(notification: Mapping[str, Any]) -> str | None:
    found = notification.get("timestamp")
    return found if isinstance(found, str) and _TIME.fullmatch(found) else None


class Outbox:
    """Events between the thread that listens and the rules. Bounded, as the listener asks for room."""

    def __init__(self, limit: int, loop: asyncio.AbstractEventLoop) -> None:
        self._limit = limit
        self._loop = loop
        self._events: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    def has_room(self) -> bool:
        return self._events.qsize() < self._limit

    def add(self, event: dict[str, Any]) -> None:
        """Called in the thread."""
        self._loop.call_soon_threadsafe(self._events.put_nowait, event)

    async def empty_into(self, queue: asyncio.Queue[Any]) -> None:
        while True:
            await queue.put(await self._events.get())


async def main(queue: asyncio.Queue[Any], args: dict[str, Any]) -> None:
    """What ansible-rulebook calls.

    :raises ValueError: for wrong arguments; OSError: if the file of the URL cannot be read.
    """
    settings = Settings.of(args)
    stop = threading.Event()
    bus = message_bus.bus_at(settings, settings.transport_url, settings.transport_url_file, stop)
    notifications = Notifications(settings)
    outbox = Outbox(settings.max_queue, asyncio.get_running_loop())

    def take(_key: str, body: str) -> None:
        event = notifications.event(body)
        if event is not None:
            outbox.add(event)

    await message_bus.run(
        [lambda: bus.listen(settings.queue, take, outbox.has_room)], outbox.empty_into(queue), stop
    )


if __name__ == "__main__":
    # By hand: python nova_notifications.py '{"transport_url_file": "url"}' prints the events.
    event_source.by_hand(main)
