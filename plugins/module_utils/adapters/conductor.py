# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Nova's conductor behind its message bus: the depth of its queue, and one cast, at most once."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..domain.errors import MutationRefused, RecoveryError
from ..domain.never_booted.conductor import (
    BuildSubmission,
    ConductorQueue,
    MessageInDoubt,
    MessageNotSent,
)
from .message_bus import MESSAGING_IMPORT_ERROR, MessageBus

if MESSAGING_IMPORT_ERROR is None:
    import amqp

TOPIC = "conductor"
METHOD = "schedule_and_build_instances"
# The same from Zed to 2026.2.
NAMESPACE, VERSION = "compute_task", "1.17"


class RabbitConductor:
    """Implements domain/never_booted/conductor.py.

    Every call makes its own connection: one that was kept could break unseen, and leave in doubt
    what is certain with a new one.

    :param exchange: Nova's control_exchange.
    :param topic: the conductor's; another one only in tests.
    """

    def __init__(self, bus: MessageBus, exchange: str, *, topic: str = TOPIC) -> None:
        self._bus = bus
        self._exchange = exchange
        self._topic = topic

    def queue_depth(self) -> int:
        return self.queue().ready

    def queue(self) -> ConductorQueue:
        with self._bus.channel() as channel:
            return self._look(channel)

    def build(self, submission: BuildSubmission) -> None:
        message = amqp.Message(
            _body(submission),
            content_type="application/json",
            content_encoding="utf-8",
            delivery_mode=2,
            priority=0,
            application_headers={},
        )
        with self._not_yet_sent(submission) as channel:
            returned: list[str] = []
            channel.events["basic_return"].add(lambda why, *_rest: returned.append(str(why)))
            channel.confirm_select()
            # From here on the message may be taken whatever happens.
            self._publish(channel, submission, message, returned)

    def _publish(
        self, channel: Any, submission: BuildSubmission, message: Any, returned: list[str]
    ) -> None:
        error: Exception | None = None
        try:
            channel.basic_publish_confirm(
                message, exchange=self._exchange, routing_key=self._topic, mandatory=True
            )
        except Exception as raised:  # noqa: BLE001 - whatever it is, the message may be sent
            error = raised
        if returned:
            # It comes before the confirmation, so it counts whatever happened to that.
            raise MessageNotSent(
                submission,
                RecoveryError(
                    "message_unroutable",
                    f"the exchange {self._exchange} leads to no queue for {self._topic}"
                    f" ({returned[0]}): check control_exchange of nova.conf, and that a conductor"
                    " runs",
                    retriable=True,
                ),
            )
        if isinstance(error, (amqp.AccessRefused, amqp.NotFound, amqp.PreconditionFailed)):
            # The broker closed the channel because of this message, before it looked for a queue.
            cause = RecoveryError("message_refused", f"the message bus refuses it: {error}")
            raise MessageNotSent(submission, cause) from error
        if error is not None:
            said = str(error) or type(error).__name__
            raise MessageInDoubt(
                submission, f"the message bus did not confirm it: {said}"
            ) from error

    @contextmanager
    def _not_yet_sent(self, submission: BuildSubmission) -> Iterator[Any]:
        """A channel, and a conductor that listens."""
        try:
            with self._bus.channel() as channel:
                _require_consumers(self._look(channel))
                yield channel
        except (MessageNotSent, MessageInDoubt):
            raise
        except RecoveryError as error:
            raise MessageNotSent(submission, error) from error
        except (amqp.AMQPError, OSError) as error:
            raise MessageNotSent(submission, _unavailable(error)) from error

    def _look(self, channel: Any) -> ConductorQueue:
        """Passive: creates nothing, and asks for no properties, so any kind of queue will do."""
        try:
            channel.exchange_declare(self._exchange, "topic", passive=True)
            found = channel.queue_declare(self._topic, passive=True)
        except amqp.NotFound as error:
            where = f"virtual host {self._bus.virtual_host}, exchange {self._exchange}"
            raise RecoveryError(
                "conductor_queue_missing",
                f"no conductor of Nova has listened there ({where}): {error}. Check transport_url,"
                " its virtual host and control_exchange against the nova.conf of the super-conductor",
                details={"virtual_host": self._bus.virtual_host, "exchange": self._exchange},
            ) from error
        except amqp.AccessRefused as error:
            raise RecoveryError(
                "message_bus_auth_failed",
                f"the user of transport_url may not use the conductor's queue: {error}. Give it the"
                " permissions that Nova's own user has",
            ) from error
        except (amqp.AMQPError, OSError) as error:
            raise _unavailable(error) from error
        return ConductorQueue(ready=found.message_count, consumers=found.consumer_count)


class ReadOnlyConductor(RabbitConductor):
    """For check mode."""

    def build(self, submission: BuildSubmission) -> None:
        raise MutationRefused(f"cast {METHOD} of instance {submission.instance_uuid}")


def _require_consumers(queue: ConductorQueue) -> None:
    """Else the message would wait, and be built when nobody expects it, with an old token."""
    if not queue.consumers:
        raise RecoveryError(
            "conductor_not_listening",
            "no conductor listens: start nova-conductor, or wait until it has started",
            retriable=True,
            details={"ready": queue.ready},
        )


def _unavailable(error: Exception) -> RecoveryError:
    said = str(error) or type(error).__name__
    return RecoveryError(
        "message_bus_unavailable",
        f"the message bus has stopped answering: {said}. Check RabbitMQ",
        retriable=True,
    )


def _body(submission: BuildSubmission) -> str:
    """The envelope of oslo.messaging's RPC, and in it the message as JSON."""
    message = {
        "method": METHOD,
        "args": dict(submission.arguments),
        "namespace": NAMESPACE,
        "version": VERSION,
        "_unique_id": uuid.uuid4().hex,
        **{f"_context_{name}": value for name, value in submission.context.items()},
    }
    return json.dumps({"oslo.version": "2.0", "oslo.message": json.dumps(message)})
