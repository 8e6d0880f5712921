# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's RabbitMQ: accounts with few rights, and its queues."""

from __future__ import annotations

import contextlib
import json
import secrets
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import amqp
from expecting import wait
from lab_access import lab_module, lab_settings
from never_booted.database_account import transport_url

VHOST, EXCHANGE = "nova", "nova"
PREFIX = "openstack_recovery."
_SHOWN = ("name", "messages", "consumers", "exclusive", "auto_delete", "durable")
# What docs/alerting.md says: its own queues, and copies of what goes over Nova's exchange, ...
_CONFIGURE = _WRITE = r"^openstack_recovery\."
_READ = r"^(openstack_recovery\..*|nova)$"
# ... but only of this.
BUILD_MESSAGES = r"^(conductor|(versioned_)?notifications\.error)$"
NOTIFICATIONS = r"^(versioned_)?notifications\.(info|error)$"


def control(*arguments: str) -> str:
    """:return: what rabbitmqctl says."""
    return str(lab_module("messaging").rabbitmqctl(lab_settings(), *arguments))


@contextlib.contextmanager
def account(name: str, topics: str) -> Iterator[str]:
    """A user who may read these routing keys and nothing else; the transport URL."""
    password = secrets.token_hex(8)
    try:
        control("add_user", name, password)
        control("set_permissions", "-p", VHOST, name, _CONFIGURE, _WRITE, _READ)
        control("set_topic_permissions", "-p", VHOST, name, EXCHANGE, "^$", topics)
        url = urlsplit(transport_url())
        yield url._replace(netloc=f"{name}:{password}@{url.hostname}:{url.port}").geturl()
    finally:
        control("delete_user", name)


def queues() -> dict[str, dict[str, Any]]:
    """Of the vhost of Nova's API, by name."""
    text = control("list_queues", "-p", VHOST, "--formatter", "json", *_SHOWN)
    return {found["name"]: found for found in json.loads(text)}


def own_queues() -> list[dict[str, Any]]:
    return [found for name, found in queues().items() if name.startswith(PREFIX)]


def wait_for_listener() -> dict[str, Any]:
    """The only queue of our own, once it is listened to."""
    return wait("own queue", lambda: [q for q in own_queues() if q["consumers"]], 30)[0]


def wait_for_none() -> None:
    wait("end of its queue", lambda: not own_queues(), 30)


def channel(url: str) -> Any:
    parts = urlsplit(url)
    connection = amqp.Connection(
        host=f"{parts.hostname}:{parts.port}",
        userid=parts.username,
        password=parts.password,
        virtual_host=VHOST,
    )
    connection.connect()
    return connection.channel()


def publish(key: str, bodies: list[str]) -> None:
    """To whom has bound a queue with this key."""
    open_channel = channel(transport_url())
    for body in bodies:
        open_channel.basic_publish(amqp.Message(body), EXCHANGE, key)
    open_channel.connection.close()
