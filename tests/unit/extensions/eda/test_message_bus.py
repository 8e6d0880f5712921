# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import logging
import ssl
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.message_bus import (
    TransportURL,
)
from fakes import nova_messages
from fakes.broker import FakeBroker
from oslo_config import cfg

bus = nova_messages.load("module_utils/message_bus")


@pytest.mark.parametrize(
    "text",
    [
        "rabbit://user:word@host",
        "rabbit://user:word@host:5671/nova",
        "rabbit://user:p%40ss%2Fw%3Aord@host:1234//",
        "rabbit://user:word@host:1234/%2Fnova",
        "rabbit://u1:w1@a:1,u2:w2@b:2,u3:w3@[::1]:3/nova?ssl=1&ssl_ca_file=/ca",
        "kombu://us%40er:word@[fe80::1]/",
    ],
)
def test_urls_are_read_as_oslo_messaging_reads_them(text: str) -> None:
    theirs = TransportURL.parse(cfg.ConfigOpts(), text)
    ours = bus.TransportUrl.parse(text)
    assert [(a.host, a.port, a.user, a.password) for a in ours.addresses] == [
        (host.hostname, host.port or 5672, host.username, host.password) for host in theirs.hosts
    ]
    assert ours.virtual_host == (theirs.virtual_host or "/")
    assert ours.options == theirs.query


def test_without_a_login_it_is_the_brokers_guest() -> None:
    (address,) = bus.TransportUrl.parse("rabbit://host").addresses
    assert (address.user, address.password) == ("guest", "guest")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "secret",
        "http://user:secret@host/",
        "rabbit://",
        "rabbit://user:secret@",
        "rabbit://user:secret@host:port/",
        "rabbit://user:sec/ret@host/",
        "rabbit://user:sec#ret@host/",
        "rabbit://user:secret@[::1/",
    ],
)
def test_what_is_no_url_is_refused_and_not_shown(text: str) -> None:
    with pytest.raises(ValueError, match="transport URL") as refused:
        bus.TransportUrl.parse(text)
    assert "ret" not in str(refused.value)


def test_no_password_is_shown() -> None:
    url = bus.TransportUrl.parse("rabbit://user:secret@host/")
    settings = bus.BusSettings.of({"transport_url": "rabbit://user:secret@host/"})
    assert "secret" not in f"{url!r} {settings!r}"


class Channel:
    def __init__(self) -> None:
        self.calls: list[Any] = []

    def queue_declare(self, name: str, **options: Any) -> Any:
        self.calls.append((name, options))
        return type("Declared", (), {"queue": name})

    def queue_bind(self, *where: str) -> None:
        self.calls.append(where)


def own_queue(**options: Any) -> Any:
    limits = {
        "source": "x",
        "exchange": "nova",
        "keys": ["a", "b"],
        "max_length": 7,
        "max_bytes": 9,
    }
    return bus.OwnQueue(**limits, **options)


def test_a_queue_goes_with_its_connection_and_has_a_limit() -> None:
    channel = Channel()
    name = own_queue().declare(channel)
    assert name.startswith("openstack_recovery.x.")
    (_name, options), *binds = channel.calls
    assert binds == [(name, "nova", "a"), (name, "nova", "b")]
    assert options == {
        "durable": False,
        "exclusive": True,
        "auto_delete": True,
        "arguments": {
            "x-queue-type": "classic",
            "x-max-length": 7,
            "x-max-length-bytes": 9,
            "x-overflow": "drop-head",
        },
    }
    assert own_queue().declare(channel) != name


def test_the_queue_of_a_pool_stays_for_a_time() -> None:
    channel = Channel()
    assert own_queue(pool="eda", expires=60).declare(channel) == "openstack_recovery.x.eda"
    options = channel.calls[0][1]
    assert (options["durable"], options["exclusive"], options["auto_delete"]) == (
        True,
        False,
        False,
    )
    assert options["arguments"]["x-expires"] == 60_000
    assert options["arguments"]["x-max-length"] == 7


def tls(url: str, **arguments: Any) -> Any:
    settings = bus.BusSettings.of({"transport_url": url, **arguments})
    parsed = bus.TransportUrl.parse(url)
    return bus.Bus(settings, lambda: url, threading.Event())._tls(
        parsed.addresses[0], parsed.options
    )


def test_with_tls_the_host_is_verified() -> None:
    assert tls("rabbit://host") is False
    assert tls("rabbit://host", ssl=True) == {
        "cert_reqs": ssl.CERT_REQUIRED,
        "ca_certs": None,
        "certfile": None,
        "keyfile": None,
        "server_hostname": "host",
    }
    assert tls("rabbit://host", ssl=True, ssl_check_hostname=False)["server_hostname"] is None


def test_the_url_goes_before_the_arguments() -> None:
    made = tls("rabbit://host?ssl=1&ssl_ca_file=/url-ca", ssl_ca_file="/ca", ssl_cert_file="/cert")
    assert (made["ca_certs"], made["certfile"]) == ("/url-ca", "/cert")
    assert tls("rabbit://host?ssl=false", ssl=True) is False


class Listening:
    """A bus that listens in a thread."""

    def __init__(
        self, url: str, has_room: Callable[[], bool] = lambda: True, copies_only: bool = False
    ) -> None:
        self.taken: list[tuple[str, str]] = []
        self.stop = threading.Event()
        settings = bus.BusSettings.of({"transport_url": url, "heartbeat": 2})
        listener = bus.Bus(settings, lambda: url, self.stop)
        queue = own_queue(copies_only=copies_only)

        def take(key: str, body: str) -> None:
            self.taken.append((key, body))

        self.thread = threading.Thread(
            target=listener.listen, args=(queue, take, has_room), daemon=True
        )
        self.thread.start()

    def wait_for(self, condition: Callable[[], bool]) -> bool:
        until = time.monotonic() + 15
        while not condition() and time.monotonic() < until:
            time.sleep(0.02)
        return condition()

    def end(self) -> bool:
        self.stop.set()
        self.thread.join(5)
        return not self.thread.is_alive()


@pytest.fixture
def broker() -> Any:
    made = FakeBroker()
    yield made
    made.close()


def test_messages_are_taken_and_it_ends_when_it_is_told(broker: FakeBroker) -> None:
    broker.deliveries = [("a", "one"), ("b", "zwei \u00fc")]
    listening = Listening(f"rabbit://u:p@{broker.host}/nova")
    assert listening.wait_for(lambda: broker.acknowledged == 2)
    assert listening.taken == broker.deliveries
    assert len(broker.bound) == 2
    assert listening.end()


def test_copies_are_not_acknowledged(broker: FakeBroker) -> None:
    broker.deliveries = [("a", "one")]
    listening = Listening(f"rabbit://u:p@{broker.host}/nova", copies_only=True)
    assert listening.wait_for(lambda: len(listening.taken) == 1)
    assert listening.end()
    assert broker.acknowledged == 0


def test_it_connects_again(broker: FakeBroker, caplog: pytest.LogCaptureFixture) -> None:
    broker.deliveries = [("a", "one")]
    broker.cut_consumers = 1
    listening = Listening(f"rabbit://u:pass-word@{broker.host}/nova")
    assert listening.wait_for(lambda: len(listening.taken) == 2)
    assert listening.end()
    assert broker.connections == 2
    assert "is cut off, next try in 1 s" in caplog.text
    assert "pass-word" not in caplog.text


def test_a_host_that_is_dead_is_passed_over(broker: FakeBroker) -> None:
    broker.deliveries = [("a", "one")]
    dead = FakeBroker()
    its_host = dead.host
    dead.close()
    for _time in range(3):
        listening = Listening(f"rabbit://u:p@{its_host},u:p@{broker.host}/nova")
        assert listening.wait_for(lambda listening=listening: bool(listening.taken))
        assert listening.end()


def test_a_login_that_is_refused_is_tried_again(
    broker: FakeBroker, caplog: pytest.LogCaptureFixture
) -> None:
    broker.refuse[(10, 11)] = (403, "ACCESS_REFUSED")
    broker.deliveries = [("a", "one")]
    listening = Listening(f"rabbit://u:pass-word@{broker.host}/nova")
    assert listening.wait_for(lambda: "ACCESS_REFUSED" in caplog.text)
    broker.refuse.clear()
    assert listening.wait_for(lambda: bool(listening.taken))
    assert listening.end()
    assert "pass-word" not in caplog.text


def test_an_exchange_that_is_not_there_yet_is_waited_for(
    broker: FakeBroker, caplog: pytest.LogCaptureFixture
) -> None:
    broker.refuse[(50, 20)] = (404, "NOT_FOUND - no exchange 'nova'")
    listening = Listening(f"rabbit://u:p@{broker.host}/nova")
    assert listening.wait_for(lambda: "no exchange" in caplog.text)
    assert listening.end()
    # Nobody but Nova declares it: only queues were declared.
    assert all(payload[:4] == b"\0\x32\0\x0a" for payload in broker.declared)


def test_nothing_is_taken_while_there_is_no_room(broker: FakeBroker) -> None:
    broker.deliveries = [("a", "one")]
    room = threading.Event()
    listening = Listening(f"rabbit://u:p@{broker.host}/nova", room.is_set)
    assert listening.wait_for(lambda: bool(broker.bound))
    # Longer than two heartbeats: a broker must not take it for dead.
    time.sleep(5)
    assert not listening.taken
    assert broker.heartbeats > 4
    room.set()
    assert listening.wait_for(lambda: bool(listening.taken))
    assert listening.end()
    assert broker.connections == 1


def test_a_broker_that_hangs_does_not_keep_it_from_ending(broker: FakeBroker) -> None:
    broker.deliveries = [("a", "one")]
    listening = Listening(f"rabbit://u:p@{broker.host}/nova")
    assert listening.wait_for(lambda: bool(listening.taken))
    broker.silent = True
    assert listening.end()


def test_a_silent_broker_is_left(broker: FakeBroker, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        # The fake broker sends no heartbeats.
        listening = Listening(f"rabbit://u:p@{broker.host}/nova")
        assert listening.wait_for(lambda: broker.connections > 1)
        assert listening.end()
    assert "heartbeat" in caplog.text
