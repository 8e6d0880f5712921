# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Nova's message bus for event sources: copies of messages, by a queue of our own on Nova's exchange.

Nothing here consumes from a queue of somebody else, or declares an exchange. oslo.messaging's own
listener does both: without a pool it takes the notifications from those who wait for them (telemetry),
and the queue of a pool has no limit and outlives its listener. Sources load this file by its path, as
ansible-rulebook does with them.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
import re
import runpy
import socket
import ssl
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, TypeGuard
from urllib.parse import parse_qs, unquote, urlsplit

import amqp

if TYPE_CHECKING:
    from ansible_collections.openstack_recovery.nova.extensions.eda.plugins.module_utils import (
        event_source,
    )
else:
    event_source = SimpleNamespace(
        **runpy.run_path(str(Path(__file__).with_name("event_source.py")))
    )

LOG = logging.getLogger("openstack_recovery.nova.message_bus")

# Every queue's name begins with it, so that the rights of a user can be narrow.
QUEUE_PREFIX = "openstack_recovery"
_SCHEMES = ("rabbit", "amqp", "kombu")
_TLS_OF_URL = ("ssl_ca_file", "ssl_cert_file", "ssl_key_file")
_ANSWER_SECONDS = 10.0
_LONGEST_PAUSE = 30.0
# Unacknowledged messages that a consumer holds at most.
_PREFETCH = 100
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# The name of a failure in versioned notifications, by that in unversioned ones. Both mean that an
# instance was not built: no host had room or was left (conductor), one host could not (compute).
FAILURES = {
    "compute_task.build_instances": "compute_task.build_instances.error",
    "compute.instance.create.error": "instance.create.error",
}
# Where each says which instance it was.
_UUID_FIELDS = {
    "compute_task.build_instances.error": "instance_uuid",
    "instance.create.error": "uuid",
    **dict.fromkeys(FAILURES, "instance_id"),
}


@dataclass(frozen=True, kw_only=True)
class BusSettings(event_source.Arguments):
    """Arguments that all sources of the message bus have."""

    transport_url: str = field(default="", repr=False)
    transport_url_file: str = ""
    control_exchange: str = "nova"
    topics: list[str] = field(default_factory=lambda: ["notifications", "versioned_notifications"])
    ssl: bool = False
    ssl_ca_file: str = ""
    ssl_cert_file: str = ""
    ssl_key_file: str = ""
    ssl_check_hostname: bool = True
    heartbeat: int = 30
    queue_max_length: int = 10_000
    queue_max_bytes: int = 64 << 20

    def check(self) -> None:
        """:raises ValueError: for what does not go together."""
        if bool(self.transport_url) == bool(self.transport_url_file):
            raise ValueError("transport_url_file or transport_url is needed, and not both")
        if not self.topics or not all(_is_name(topic) for topic in self.topics):
            raise ValueError("topics must be a list of names of topics")
        if not _is_name(self.control_exchange):
            raise ValueError("control_exchange must be the name of an exchange")


def _is_name(value: object) -> bool:
    return isinstance(value, str) and _NAME.fullmatch(value) is not None


def read_url(url: str, file: str) -> str:
    """The URL from where it was given.

    :raises OSError: of the file.
    """
    return url or Path(file).read_text(encoding="utf-8").strip()


@dataclass(frozen=True, kw_only=True)
class Address:
    """One RabbitMQ and the login there."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)

    @property
    def place(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, kw_only=True)
class TransportUrl:
    """What oslo.messaging reads in a ``transport_url``. ``options`` are those of its query."""

    addresses: tuple[Address, ...]
    virtual_host: str
    options: Mapping[str, str]

    @classmethod
    def parse(cls, text: str) -> TransportUrl:
        """:raises ValueError: if it is none; the message shows nothing of it."""
        try:
            url = urlsplit(text)
            addresses = tuple(_address(part) for part in url.netloc.split(",") if part)
        except ValueError:
            raise ValueError("the transport URL cannot be read") from None
        virtual_host = unquote(url.path[1:]) or "/"
        if url.scheme not in _SCHEMES or not addresses:
            raise ValueError("the transport URL is not rabbit://USER:PASSWORD@HOST:PORT/VHOST")
        if "@" in virtual_host or url.fragment:
            raise ValueError(
                "in the transport URL a password with / # or ? must be percent-encoded"
            )
        options = {name: values[-1] for name, values in parse_qs(url.query).items()}
        return cls(addresses=addresses, virtual_host=virtual_host, options=options)


def _address(text: str) -> Address:
    login, _at, place = text.rpartition("@")
    user, _colon, password = login.partition(":")
    found = re.fullmatch(r"(?:\[([^\]]+)\]|([^:\[\]]+))(?::([0-9]{1,5}))?", place)
    if found is None:
        raise ValueError("no host")
    return Address(
        host=found[1] or found[2],
        port=int(found[3] or 5672),
        user=unquote(user) or "guest",
        password=unquote(password) or "guest",
    )


@dataclass(frozen=True, kw_only=True)
class OwnQueue:
    """A queue that gets copies of what is sent to ``exchange`` with these routing keys.

    Without ``pool`` it belongs to one connection, and goes with it. With one it is kept for
    ``expires`` seconds after its last consumer, who may come back, and all of a pool share it.

    :param copies_only: messages count as handled once they are sent: none waits here or comes again.
    """

    source: str
    exchange: str
    keys: Sequence[str]
    max_length: int
    max_bytes: int
    pool: str = ""
    expires: int = 0
    copies_only: bool = False

    def declare(self, channel: Any) -> str:
        """Its name."""
        name = self.pool or uuid.uuid4().hex
        # A quorum queue can be neither exclusive nor made to expire with its listener.
        limits: dict[str, Any] = {
            "x-queue-type": "classic",
            "x-max-length": self.max_length,
            "x-max-length-bytes": self.max_bytes,
            "x-overflow": "drop-head",
        }
        if self.pool:
            limits["x-expires"] = self.expires * 1000
        declared = channel.queue_declare(
            f"{QUEUE_PREFIX}.{self.source}.{name}",
            durable=bool(self.pool),
            exclusive=not self.pool,
            auto_delete=not self.pool,
            arguments=limits,
        )
        for key in self.keys:
            channel.queue_bind(declared.queue, self.exchange, key)
        return str(declared.queue)


class Bus:
    """Listens in a thread of its own, and connects again by itself, until ``stop`` is set.

    :param url: gives the transport URL, for each connection anew, as passwords change.
    """

    def __init__(
        self, settings: BusSettings, url: Callable[[], str], stop: threading.Event
    ) -> None:
        self._settings = settings
        self._url = url
        self._stop = stop

    def listen(
        self,
        queue: OwnQueue,
        take: Callable[[str, str], None],
        has_room: Callable[[], bool] = lambda: True,
    ) -> None:
        """Call ``take`` with the routing key and the body of each message.

        :param has_room: while it is false nothing is taken; what comes then waits in the queue.
        """
        pause = 1.0
        while not self._stop.is_set():
            try:
                with self._channel() as (channel, place):
                    self._consume(channel, queue, take)
                    LOG.info("%s listens at %s", queue.source, place)
                    pause = 1.0
                    self._drain(channel.connection, has_room)
            except (amqp.AMQPError, OSError, ValueError) as error:
                told = str(error) or type(error).__name__
                LOG.warning("%s is cut off, next try in %.0f s: %s", queue.source, pause, told)
                self._stop.wait(pause + random.random())  # noqa: S311 - not to come all at once
                pause = min(2 * pause, _LONGEST_PAUSE)

    def _consume(self, channel: Any, queue: OwnQueue, take: Callable[[str, str], None]) -> None:
        def taken(message: Any) -> None:
            body = message.body
            text = body if isinstance(body, str) else bytes(body).decode("utf-8", "replace")
            take(message.delivery_info["routing_key"], text)
            if not queue.copies_only:
                channel.basic_ack(message.delivery_tag)

        channel.basic_qos(0, _PREFETCH, False)
        channel.basic_consume(queue.declare(channel), no_ack=queue.copies_only, callback=taken)

    def _drain(self, connection: Any, has_room: Callable[[], bool]) -> None:
        beat = time.monotonic()
        while not self._stop.is_set():
            if not has_room():
                # Nothing is read, so a heartbeat that is due could not be seen either.
                connection.send_heartbeat()
                self._stop.wait(0.5)
                continue
            with suppress(socket.timeout):
                connection.drain_events(timeout=1)
            if time.monotonic() - beat >= 1:
                connection.heartbeat_tick()
                beat = time.monotonic()

    @contextmanager
    def _channel(self) -> Iterator[tuple[Any, str]]:
        """:raises OSError: or AMQPError, when no host of the URL could be connected to."""
        url = TransportUrl.parse(self._url())
        failures: list[Exception] = []
        for address in random.sample(url.addresses, len(url.addresses)):
            connection = self._connection(address, url)
            try:
                connection.connect()
                # Its own time-outs do not cover every answer.
                connection.sock.settimeout(_ANSWER_SECONDS)
                channel = connection.channel()
            except (amqp.AMQPError, OSError) as error:
                connection.collect()
                failures.append(error)
                continue
            try:
                yield channel, address.place
                # Only after success: a broker that hangs would not answer this either.
                with suppress(amqp.AMQPError, OSError):
                    connection.close()
            finally:
                connection.collect()
            return
        raise failures[-1]

    def _connection(self, address: Address, url: TransportUrl) -> Any:
        return amqp.Connection(
            host=address.place,
            userid=address.user,
            password=address.password,
            virtual_host=url.virtual_host,
            ssl=self._tls(address, url.options),
            connect_timeout=_ANSWER_SECONDS,
            heartbeat=self._settings.heartbeat,
            client_properties={"connection_name": "openstack_recovery.nova"},
        )

    def _tls(self, address: Address, options: Mapping[str, str]) -> dict[str, Any] | bool:
        stated = options.get("ssl", "").lower()
        if not (stated in ("1", "true", "yes", "on", "t", "y") if stated else self._settings.ssl):
            return False
        files = {name: options.get(name) or getattr(self._settings, name) for name in _TLS_OF_URL}
        return {
            "cert_reqs": ssl.CERT_REQUIRED,
            "ca_certs": files["ssl_ca_file"] or None,
            "certfile": files["ssl_cert_file"] or None,
            "keyfile": files["ssl_key_file"] or None,
            # amqp compares the certificate with it, unless there is none.
            "server_hostname": address.host if self._settings.ssl_check_hostname else None,
        }


def bus_at(settings: BusSettings, url: str, file: str, stop: threading.Event) -> Bus:
    """The message bus that one of them names.

    :raises ValueError, OSError: at once, and not only where it is tried again and again.
    """
    TransportUrl.parse(read_url(url, file))
    return Bus(settings, lambda: read_url(url, file), stop)


def call_of(body: str) -> dict[str, Any]:
    """The message in oslo.messaging's envelope. It holds secrets: take from it what is needed.

    :raises ValueError: if it is none.
    """
    envelope = json.loads(body)
    call = json.loads(envelope["oslo.message"]) if isinstance(envelope, dict) else None
    if not isinstance(call, dict):
        raise ValueError("not a message of oslo.messaging")  # noqa: TRY004 - like bad JSON
    return call


def notification_of(body: str) -> dict[str, Any] | None:
    """As ``call_of``, but None for what is none."""
    try:
        return call_of(body)
    except (ValueError, KeyError, TypeError, RecursionError):
        LOG.warning("a notification that is none of oslo.messaging's is left out")
        return None


def failure_of(notification: Mapping[str, Any]) -> tuple[str, str] | None:
    """Which instance was not built: the versioned name of the event, and the instance's UUID.

    None for another notification. Unversioned ones hold the user's token, deep inside.
    """
    event = notification.get("event_type")
    payload = notification.get("payload")
    if not isinstance(event, str) or event not in _UUID_FIELDS or not isinstance(payload, dict):
        return None
    fields = payload.get("nova_object.data", payload)
    instance = fields.get(_UUID_FIELDS[event]) if isinstance(fields, dict) else None
    return (FAILURES.get(event, event), instance) if is_uuid(instance) else None


def is_uuid(value: object) -> TypeGuard[str]:
    """Whether it is one as Nova writes them, and so may be used as text anywhere."""
    return isinstance(value, str) and _UUID.fullmatch(value) is not None


async def run(listeners: Sequence[Callable[[], None]], work: Any, stop: threading.Event) -> None:
    """Run each listener in a thread, and the coroutine ``work``, until this is cancelled."""
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(len(listeners), "message_bus") as threads:
        running = [loop.run_in_executor(threads, listener) for listener in listeners]
        task = loop.create_task(work)
        try:
            # Shielded: a thread cannot be cancelled, it has to be told.
            await asyncio.gather(task, *(asyncio.shield(each) for each in running))
        finally:
            stop.set()
            task.cancel()
            await asyncio.wait([task, *running], timeout=_ANSWER_SECONDS)
