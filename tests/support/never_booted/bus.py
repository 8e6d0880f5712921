# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Listens to Nova's message bus: how often the conductor was asked to build which instance."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any
from urllib.parse import unquote, urlsplit

import amqp

from .database_account import transport_url

EXCHANGE, TOPIC = "nova", "conductor"


def _channel() -> Any:
    url = urlsplit(transport_url())
    connection = amqp.Connection(
        host=f"{url.hostname}:{url.port}",
        userid=url.username,
        password=unquote(url.password or ""),
        virtual_host=url.path.lstrip("/"),
    )
    connection.connect()
    return connection.channel()


class Messages:
    """Every message to build instances, from now on, as a queue of its own gets them."""

    def __init__(self) -> None:
        self._channel = _channel()
        limit = {"x-max-length": 1000}
        declared = self._channel.queue_declare(exclusive=True, auto_delete=True, arguments=limit)
        self._queue = declared.queue
        self._channel.queue_bind(self._queue, EXCHANGE, TOPIC)
        self._counts: Counter[str] = Counter()

    def counts(self) -> Counter[str]:
        """By instance. Nothing else of a message is looked at: it holds a token."""
        while (message := self._channel.basic_get(self._queue, no_ack=True)) is not None:
            envelope = json.loads(message.body)
            call = json.loads(envelope["oslo.message"])
            if call.get("method") == "schedule_and_build_instances":
                for request in call["args"]["build_requests"]:
                    self._counts[request["nova_object.data"]["instance_uuid"]] += 1
        return self._counts


def queue() -> tuple[int, int]:
    """Messages that wait for a conductor, and workers that listen."""
    channel = _channel()
    found = channel.queue_declare(TOPIC, passive=True)
    channel.connection.close()
    return found.message_count, found.consumer_count


def lose_messages() -> int:
    """As when RabbitMQ is set up anew: whatever waits for a conductor is gone; how many."""
    channel = _channel()
    lost = channel.queue_purge(TOPIC)
    channel.connection.close()
    return int(lost)
