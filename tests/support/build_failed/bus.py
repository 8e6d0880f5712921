# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the sources do to RabbitMQ, and what they do not, also when they die or hang."""

from __future__ import annotations

import functools
import signal
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import amqp
from expecting import require, wait
from lab_access import lab_settings
from never_booted import cloud, outages, programs
from never_booted.crash import say
from never_booted.database_account import transport_url

from . import rabbit
from .source import Source

# Only the source listens to it: Nova's conductor must not get what is made up.
_FLOOD = "flood"
_LENGTH = 50


def prove() -> None:
    cloud.set_room(room=False)
    with (
        rabbit.account("capture", rabbit.BUILD_MESSAGES) as url,
        rabbit.account("listener", rabbit.NOTIFICATIONS) as listener_url,
    ):
        rights(url, listener_url)
        nobody_gets_less(url, listener_url)
        killed(url)
        stopped()
        tls()
        pool(listener_url)
        restarted(url)


def rights(url: str, listener_url: str) -> None:
    """They may get copies, and neither take nor send anything of Nova's."""
    for login, key in ((url, "scheduler"), (listener_url, "conductor")):
        _refused("consume", lambda channel: channel.basic_consume("conductor"), login)
        _refused("declare", lambda channel: channel.exchange_declare("other", "topic"), login)
        _refused("publish", _publish, login)
        _refused("bind", functools.partial(_bind, key), login)
    say("rights: copies only")


def _refused(what: str, attempt: Callable[[Any], object], url: str) -> None:
    channel = rabbit.channel(url)
    try:
        attempt(channel)
    except amqp.AccessRefused:
        channel.connection.close()
        return
    require(False, f"a user who may get copies can {what}")


def _publish(channel: Any) -> None:
    channel.confirm_select()
    channel.basic_publish_confirm(amqp.Message("{}"), rabbit.EXCHANGE, "conductor")


def _bind(key: str, channel: Any) -> None:
    channel.queue_declare(f"{rabbit.PREFIX}test", exclusive=True)
    channel.queue_bind(f"{rabbit.PREFIX}test", rabbit.EXCHANGE, key)


def fail(name: str) -> str:
    """The UUID of an instance whose build has failed just now."""
    return cloud.bury([{"name": name}])[name]


def nobody_gets_less(url: str, listener_url: str) -> None:
    """Those who wait for notifications have them all, and the source its own."""
    fail("first")
    topics = ["notifications.error", "versioned_notifications.error"]
    before = {topic: rabbit.queues()[topic]["messages"] for topic in topics}
    with (
        Source.running("build_messages", url) as capture,
        Source.running("nova_notifications", listener_url) as listener,
    ):
        wait("two listeners", lambda: [q["consumers"] for q in rabbit.own_queues()] == [1, 1])
        instance = fail("heard")
        capture.wait_for_request(instance)
        listener.wait_for_event(event_type="compute_task.build_instances.error", instance=instance)
        cloud.set_room(room=True)
        listener.wait_for_event(event_type="service.update", host="compute-1", disabled=False)
        cloud.set_room(room=False)
        listener.wait_for_event(event_type="service.update", host="compute-1", disabled=True)
        repeated = [e for e in listener.events() if e.get("instance") == instance]
        require(len(repeated) == 1, f"one failure was told so often: {repeated}")
    after = {topic: rabbit.queues()[topic]["messages"] - before[topic] for topic in topics}
    require(after == dict.fromkeys(topics, 1), f"others have got {after}")
    rabbit.wait_for_none()
    say("nobody gets less: telemetry's queues have all")


def killed(url: str) -> None:
    """By SIGKILL: nothing is left of it, and Nova goes on."""
    with Source.running("build_messages", url) as capture:
        queue = rabbit.wait_for_listener()
        require(queue["exclusive"] and queue["auto_delete"], f"the queue stays: {queue}")
        capture.process.kill()
        capture.process.wait()
        rabbit.wait_for_none()
    fail("after-the-kill")
    say("killed: its queue is gone")


def stopped() -> None:
    """By SIGSTOP: its queue stays within its limit, and Nova goes on."""
    arguments = {"queue_max_length": _LENGTH, "topics": ["notifications", _FLOOD]}
    topics = rf"^(conductor|(notifications|{_FLOOD})\.error)$"
    with (
        rabbit.account("flooded", topics) as url,
        Source.running("build_messages", url, **arguments) as capture,
    ):
        rabbit.wait_for_listener()
        capture.signal(signal.SIGSTOP)
        # More than RabbitMQ and both sockets hold on the way.
        rabbit.publish(f"{_FLOOD}.error", ["x" * 20_000] * 2000)
        time.sleep(2)
        length = rabbit.own_queues()[0]["messages"]
        require(length == _LENGTH, f"the queue of a source that hangs has {length} messages")
        unheard = fail("while-it-hangs")
        require(rabbit.queues()["conductor"]["messages"] == 0, "Nova's conductor has not listened")
        rabbit.publish(f"{_FLOOD}.error", ["x" * 20_000] * _LENGTH)
        capture.signal(signal.SIGCONT)
        capture.wait_for_request(fail("when-it-goes-on"))
        require(unheard not in capture.requests(), "the oldest were not dropped")
        require("xxx" not in capture.log(), "the log shows messages")
    rabbit.wait_for_none()
    say(f"stopped: {_LENGTH} messages at most")


def tls() -> None:
    """With a client's certificate, and the server's verified."""
    settings = lab_settings()
    url = urlsplit(transport_url())
    files = {
        "ssl_ca_file": str(settings.tls / "ca.pem"),
        "ssl_cert_file": str(settings.tls / "client.pem"),
        "ssl_key_file": str(settings.tls / "client.key"),
    }
    place = f"{url.username}:{url.password}@localhost:{settings.port('rabbitmq-tls')}"
    secure = url._replace(netloc=place).geturl()
    with Source.running("build_messages", secure, ssl=True, **files) as capture:
        rabbit.wait_for_listener()
        capture.wait_for_request(fail("over-tls"))
    wrong = files | {"ssl_ca_file": str(settings.tls / "other-ca.pem")}
    with Source.running("build_messages", f"{secure}?ssl=1", **wrong) as capture:
        wait("refusal", lambda: "certificate verify failed" in capture.log())
        require(str(url.password) not in capture.log(), "the log shows the password")
    say("tls: verified")


def pool(url: str) -> None:
    """What is announced while nobody listens waits for a time, and then is gone with the queue."""
    arguments = {"pool": "eda", "expires": 20}
    with Source.running("nova_notifications", url, **arguments):
        rabbit.wait_for_listener()
    instance = fail("while-nobody-listens")
    with Source.running("nova_notifications", url, **arguments) as listener:
        listener.wait_for_event(instance=instance)
    # Only the last one to listen starts the time.
    require(len(rabbit.own_queues()) == 1, "the queue of a pool has gone at once")
    wait("end of the pool's queue", lambda: not rabbit.own_queues(), 60)
    say("pool: its queue waits, and goes")


def restarted(url: str) -> None:
    """RabbitMQ dies and comes back: it listens again by itself, and forgets nothing."""
    with Source.running("build_messages", url) as capture:
        rabbit.wait_for_listener()
        programs.kill("rabbitmq")
        wait("loss", lambda: "is cut off" in capture.log())
        outages.start_rabbit()
        rabbit.wait_for_listener()
        capture.wait_for_request(fail("after-the-restart"))
        capture.signal(signal.SIGINT)
        wait("end", lambda: capture.process.poll() is not None, 15)
        require("Traceback" not in capture.log(), f"it ended with {capture.log()}")
    rabbit.wait_for_none()
    say("restarted: it listens again")
