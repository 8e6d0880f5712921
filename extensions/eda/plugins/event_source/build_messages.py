# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An event source for ansible-rulebook: which networks an instance requested, when its build has failed.

ansible-rulebook runs this file by its path, so it can import nothing of the collection by name.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import itertools
import json
import logging
import re
import runpy
import threading
import time
from collections import OrderedDict
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
name: build_messages
short_description: Tell which networks an instance requested when its build has failed
version_added: 0.4.0
description:
  - Nova forgets which networks were requested when a build fails. They are in the message by which
    its API hands a new instance to the conductor. This source gets a copy of each of these messages,
    remembers who requested what for O(max_age) seconds, and tells it when Nova announces that
    the build has failed.
  - Nova sends these notifications where C([oslo_messaging_notifications]driver) of its nova.conf is
    C(messagingv2). C(compute_task.build_instances) and C(instance.create.error) count, versioned or not.
  - An event is C({requests}), a list of C({instance, networks}) as the role
    P(openstack_recovery.nova.keep_network_requests#role) takes it; C(networks) are in the words of
    M(openstack_recovery.nova.network_request). Instances whose builds fail within O(gather) seconds,
    or while the rules are busy, come in one event, at most O(max_requests) of them.
  - What was requested is told, not what Nova has made of it. Instances of one request share it.
  - The messages hold the user's token and the password of the new instance. Nothing of a message is
    kept but UUIDs and networks, and, only with O(personality), personality files.
  - IDs and addresses are checked. A request with a tag that Ansible would read as a template is left
    out, and logged. State its networks yourself.
  - The queue is its own, exclusive and limited. When the source ends, it is gone; when the source
    hangs, the oldest copies are dropped. Nova never waits for it.
  - Of instances that were created while it was not running it knows nothing, and says nothing.
options:
  transport_url_file:
    type: str
    description:
      - A file that holds the URL of the API's message bus, as in C([DEFAULT]transport_url) of the
        nova.conf of Nova's API. It is read anew for each connection.
  transport_url: {type: str, description: The URL itself. Better in a file.}
  notification_transport_url_file:
    type: str
    description: The same for notifications, where they go to another message bus.
  notification_transport_url: {type: str, description: The URL itself.}
  control_exchange: {type: str, default: nova, description: As in nova.conf.}
  topics:
    type: list
    elements: str
    default: [notifications, versioned_notifications]
    description:
      - C([oslo_messaging_notifications]topics) and C([notifications]versioned_notifications_topics) of
        nova.conf.
  personality:
    type: bool
    default: false
    description:
      - Whether to tell the personality files, too. The event has C(personality) then, a dictionary of
        them by UUID, as O(openstack_recovery.nova.instance_build#module:injected_files) takes it.
        They can hold secrets, and are in the job's variables and in what ansible-rulebook prints.
  max_age: {type: int, default: 7200, description: Seconds for which a request is remembered.}
  max_instances: {type: int, default: 100000, description: Instances that are remembered.}
  max_bytes: {type: int, default: 67108864, description: Bytes that what is remembered may have.}
  max_requests: {type: int, default: 50, description: Instances that one event tells of at most.}
  gather: {type: int, default: 1, description: Seconds for which further instances are waited for.}
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
- openstack_recovery.nova.build_messages:
    transport_url_file: /etc/ansible-rulebook/nova_url
"""

LOG = logging.getLogger("openstack_recovery.nova.build_messages")

METHOD, TOPIC = "schedule_and_build_instances", "conductor"
AUTO, NONE = "auto", "none"
_TAG_LENGTH = 60
_PATH_LENGTH = 255
_BASE64 = re.compile(r"[A-Za-z0-9+/=\s]*")
# What begins something of Jinja's.
_TEMPLATE = re.compile(r"\{[{%#]")


@dataclass(frozen=True, kw_only=True)
class Settings(message_bus.BusSettings):
    """The arguments, as DOCUMENTATION describes them."""

    notification_transport_url: str = field(default="", repr=False)
    notification_transport_url_file: str = ""
    personality: bool = False
    max_age: int = 7200
    max_instances: int = 100_000
    max_bytes: int = 64 << 20
    max_requests: int = 50
    gather: int = 1

    def check(self) -> None:
        """:raises ValueError: for what does not go together."""
        super().check()
        if self.notification_transport_url and self.notification_transport_url_file:
            raise ValueError(
                "notification_transport_url and notification_transport_url_file exclude each other"
            )

    @property
    def has_two_buses(self) -> bool:
        return bool(self.notification_transport_url or self.notification_transport_url_file)

    @property
    def announcements(self) -> list[str]:
        """Routing keys of what fails."""
        return [f"{topic}.error" for topic in self.topics]

    def queue(self, keys: list[str]) -> message_bus.OwnQueue:
        return message_bus.OwnQueue(
            source="build_messages",
            exchange=self.control_exchange,
            keys=keys,
            max_length=self.queue_max_length,
            max_bytes=self.queue_max_bytes,
            copies_only=True,
        )


class NotKept(Exception):
    """A message of which nothing can be kept. The text holds nothing of it."""


def networks_of(requested: Any) -> str | list[dict[str, str]]:
    """A NetworkRequestList in the words of network_request.

    :raises NotKept: if it is not understood, or could be read as a template.
    """
    if requested is None:
        return []
    requests = [_fields(each) for each in _fields(requested)["objects"]]
    if len(requests) == 1 and requests[0].get("network_id") in (AUTO, NONE):
        return str(requests[0]["network_id"])
    return [_interface(request) for request in requests]


def _fields(versioned_object: Any) -> Mapping[str, Any]:
    found = versioned_object["nova_object.data"]
    if not isinstance(found, dict):
        raise NotKept("an object without fields")
    return found


def _interface(request: Mapping[str, Any]) -> dict[str, str]:
    # A port is on its network, and brings its address.
    by_port = request.get("port_id") is not None
    words = {
        "network": None if by_port else request.get("network_id"),
        "fixed_ip": None if by_port else request.get("address"),
        "port": request.get("port_id"),
        "tag": request.get("tag"),
    }
    found = {word: value for word, value in words.items() if value is not None}
    for word, value in found.items():
        if not _IS_SAFE[word](value):
            raise NotKept(f"a {word} that is not one, or that Ansible could read as a template")
    return found


def _is_address(value: object) -> bool:
    try:
        ipaddress.ip_address(str(value))
    except ValueError:
        return False
    return "%" not in str(value)


def _is_text(value: object, length: int) -> bool:
    plain = isinstance(value, str) and 0 < len(value) <= length and value.isprintable()
    return plain and not _TEMPLATE.search(str(value))


_IS_SAFE: dict[str, Callable[[object], bool]] = {
    "network": message_bus.is_uuid,
    "port": message_bus.is_uuid,
    "fixed_ip": _is_address,
    "tag": lambda value: _is_text(value, _TAG_LENGTH),
}


def personality_of(injected: Any) -> list[dict[str, str]]:
    """Injected files as instance_build takes them.

    :raises NotKept: as ``networks_of``.
    """
    files = []
    for path, content in injected or ():
        if not _is_text(path, _PATH_LENGTH) or not _BASE64.fullmatch(content):
            raise NotKept("a personality file that is not one, or like a template")
        files.append({"path": path, "content": content})
    return files


@dataclass(slots=True)
class _Request:
    """What is remembered of one instance, as JSON, and when it was heard of."""

    text: bytes
    heard: float
    announced: set[str] = field(default_factory=set)


class Capture:
    """What instances requested, the newest of each. Called in the threads that listen.

    :param clock: seconds.
    """

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._clock = clock
        self._lock = threading.Lock()
        # In the order in which they were heard of.
        self._requests: OrderedDict[str, _Request] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._requests)

    def hear(self, body: str) -> None:
        """Remember what a message to the conductor requests; any other message is nothing."""
        # A vhost may carry all of Nova's messages, and reading one costs more than finding a word.
        if METHOD not in body:
            return
        instances: list[str] = []
        try:
            call = message_bus.call_of(body)
            if call.get("method") != METHOD:
                return
            arguments = call["args"]
            found = [_fields(each)["instance_uuid"] for each in arguments["build_requests"]]
            instances = [uuid for uuid in found if message_bus.is_uuid(uuid)]
            kept: dict[str, Any] = {"networks": networks_of(arguments["requested_networks"])}
            if self._settings.personality:
                kept["personality"] = personality_of(arguments["injected_files"])
        except NotKept as why:
            LOG.warning("nothing is kept for instances %s: %s", ", ".join(instances), why)
            self._forget(instances)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            LOG.warning("nothing is kept for instances %s: not understood", ", ".join(instances))
            self._forget(instances)
        else:
            self._remember(instances, json.dumps(kept).encode())

    def announce(self, body: str) -> tuple[str, dict[str, Any]] | None:
        """What an instance requested whose build has failed now; None also where nobody knows.

        Nova may announce one failure in two formats, and one failed build by its host and then by the
        conductor, who found no other. Each of these two is told once.
        """
        notification = message_bus.notification_of(body)
        failure = None if notification is None else message_bus.failure_of(notification)
        if failure is None:
            return None
        event_type, uuid = failure
        with self._lock:
            self._forget_old()
            request = self._requests.get(uuid)
            if request is None:
                LOG.warning("the build of %s has failed, and its networks are not known", uuid)
                return None
            if event_type in request.announced:
                return None
            request.announced.add(event_type)
        return uuid, json.loads(request.text)

    def forget_old(self) -> None:
        with self._lock:
            self._forget_old()

    def _remember(self, instances: list[str], text: bytes) -> None:
        self._forget(instances)
        with self._lock:
            for uuid in instances:
                self._requests[uuid] = _Request(text, self._clock())
                self._bytes += len(text)
            self._forget_old()

    def _forget(self, instances: list[str]) -> None:
        with self._lock:
            for uuid in instances:
                if (gone := self._requests.pop(uuid, None)) is not None:
                    self._bytes -= len(gone.text)

    def _forget_old(self) -> None:
        oldest_kept = self._clock() - self._settings.max_age
        while self._requests and (
            len(self._requests) > self._settings.max_instances
            or self._bytes > self._settings.max_bytes
            or next(iter(self._requests.values())).heard < oldest_kept
        ):
            _uuid, gone = self._requests.popitem(last=False)
            self._bytes -= len(gone.text)


class Outbox:
    """What is to be told, by UUID. Bounded, as nothing is in it that the capture has not remembered."""

    def __init__(self, settings: Settings, loop: asyncio.AbstractEventLoop) -> None:
        self._settings = settings
        self._loop = loop
        self._waiting: OrderedDict[str, dict[str, Any]] = OrderedDict()
        self._some = asyncio.Event()

    def add(self, uuid: str, kept: dict[str, Any]) -> None:
        """Called in a thread."""
        self._loop.call_soon_threadsafe(self._add, uuid, kept)

    def _add(self, uuid: str, kept: dict[str, Any]) -> None:
        self._waiting[uuid] = kept
        if len(self._waiting) > self._settings.max_instances:
            gone, _kept = self._waiting.popitem(last=False)
            LOG.error("the rules are too slow: the networks of %s are not told", gone)
        self._some.set()

    async def empty_into(self, queue: asyncio.Queue[Any], capture: Capture) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._some.wait(), timeout=60)
                # The others of a batch follow within moments.
                await asyncio.sleep(self._settings.gather)
            capture.forget_old()
            while self._waiting:
                first = list(itertools.islice(self._waiting, self._settings.max_requests))
                await queue.put(_event([(uuid, self._waiting.pop(uuid)) for uuid in first]))
            self._some.clear()


def _event(told: list[tuple[str, dict[str, Any]]]) -> dict[str, Any]:
    requests = [{"instance": uuid, "networks": kept["networks"]} for uuid, kept in told]
    files = {uuid: kept["personality"] for uuid, kept in told if kept.get("personality")}
    return {"requests": requests} | ({"personality": files} if files else {})


async def main(queue: asyncio.Queue[Any], args: dict[str, Any]) -> None:
    """What ansible-rulebook calls.

    :raises ValueError: for wrong arguments; OSError: if the file of a URL cannot be read.
    """
    settings = Settings.of(args)
    capture = Capture(settings)
    outbox = Outbox(settings, asyncio.get_running_loop())
    stop = threading.Event()

    def take(key: str, body: str) -> None:
        if key == TOPIC:
            capture.hear(body)
        elif (told := capture.announce(body)) is not None:
            outbox.add(*told)

    def listener(url: str, file: str, keys: list[str]) -> Callable[[], None]:
        bus = message_bus.bus_at(settings, url, file, stop)
        return lambda: bus.listen(settings.queue(keys), take)

    here = (settings.transport_url, settings.transport_url_file)
    if settings.has_two_buses:
        there = (settings.notification_transport_url, settings.notification_transport_url_file)
        listeners = [listener(*here, [TOPIC]), listener(*there, settings.announcements)]
    else:
        # One queue: what fails is announced behind the message that requested it.
        listeners = [listener(*here, [TOPIC, *settings.announcements])]
    await message_bus.run(listeners, outbox.empty_into(queue, capture), stop)


if __name__ == "__main__":
    # By hand: python build_messages.py '{"transport_url_file": "url"}' prints the events.
    event_source.by_hand(main)
