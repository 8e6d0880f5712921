# mypy: disable-error-code="attr-defined,no-untyped-call"
# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is sent to Nova's conductor to have instances built, read on the bus."""

from __future__ import annotations

import configparser
import json
import os
import sys
import time
from typing import Any, Self

import kombu


class BuildMessages:
    """Every schedule_and_build_instances from when it is entered, without what is secret in it."""

    def __init__(self) -> None:
        conf = configparser.RawConfigParser(strict=False)
        conf.read(os.environ["OPENSTACK_LAB_NOVA_CONF"])
        url = conf["DEFAULT"]["transport_url"].replace("rabbit://", "amqp://")
        self._bus = kombu.Connection(url)
        self._found: dict[str, dict[str, Any]] = {}

    def __enter__(self) -> Self:
        exchange = kombu.Exchange("nova", type="topic", passive=True, no_declare=True)
        queue = kombu.Queue(
            "", exchange, routing_key="conductor", exclusive=True, auto_delete=True, max_length=1000
        )
        self._consumer = self._bus.Consumer(queue, callbacks=[self._note])
        self._consumer.consume()
        return self

    def __exit__(self, *_raised: object) -> None:
        self._consumer.cancel()
        self._bus.release()

    def wait_for(self, uuids: set[str], seconds: float) -> dict[str, dict[str, Any]]:
        """The message of each of these instances; those of one request have one message."""
        until = time.monotonic() + seconds
        while missing := uuids - set(self._found):
            if time.monotonic() > until:
                sys.exit(f"no message to the conductor was seen for {sorted(missing)}")
            try:
                self._bus.drain_events(timeout=1)
            except TimeoutError:
                continue
        return {uuid: self._found[uuid] for uuid in uuids}

    def _note(self, body: Any, message: Any) -> None:
        message.ack()
        body = json.loads(body) if isinstance(body, str | bytes) else body
        call = json.loads(body["oslo.message"])
        if call.get("method") != "schedule_and_build_instances":
            return
        # Nobody but the conductor needs these.
        call.pop("_context_auth_token")
        call["args"].pop("admin_password")
        for request in call["args"]["build_requests"]:
            uuid = request["nova_object.data"]["instance_uuid"]
            if uuid in self._found:
                sys.exit(f"WRONG: instance {uuid} was sent to the conductor twice")
            self._found[uuid] = call
