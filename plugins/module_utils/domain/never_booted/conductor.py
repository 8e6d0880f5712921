# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the domain needs of Nova's conductor: how busy it is, and to hand an instance to it, once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from ..errors import RecoveryError


@dataclass(frozen=True, slots=True, kw_only=True)
class ConductorQueue:
    """The queue that every conductor takes its work from.

    :param ready: messages that no conductor has taken yet.
    :param consumers: workers of conductors that listen. 0 means that none runs.
    """

    ready: int
    consumers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildSubmission:
    """One message to the conductor; ``repr`` shows nothing secret.

    :param request_id: ``req-...``, under which Nova logs what it does with the message.
    :param context: who asks, with a token: never to be stored or logged.
    :param arguments: those of schedule_and_build_instances, as primitives.
    """

    instance_uuid: str
    request_id: str
    context: Mapping[str, Any] = field(repr=False)
    arguments: Mapping[str, Any] = field(repr=False)


class MessageNotSent(RecoveryError):
    """It is certain that the message bus did not take the message: it may be sent again.

    :param cause: what was wrong; its code and its details are those of this error.
    """

    def __init__(self, submission: BuildSubmission, cause: RecoveryError) -> None:
        super().__init__(
            cause.code,
            f"instance {submission.instance_uuid} was not handed to the conductor: {cause.message}",
            retriable=cause.retriable,
            details={**cause.details, "instance": submission.instance_uuid},
            request_id=submission.request_id,
        )


class MessageInDoubt(RecoveryError):
    """The message was sent, or part of it, and the message bus did not say that it has taken it.

    Sending it again could destroy the instance: Nova takes a second message for one that it has
    begun to build as that of an instance which was deleted.
    """

    def __init__(self, submission: BuildSubmission, why: str) -> None:
        super().__init__(
            "message_in_doubt",
            f"whether the conductor gets instance {submission.instance_uuid} is not known: {why}. It"
            " is not sent again. Look whether its status changes, and for"
            f" {submission.request_id} in the logs of Nova's conductors",
            details={"instance": submission.instance_uuid},
            request_id=submission.request_id,
        )


class Conductor(Protocol):
    """Every call makes its own connection, and ends within some ten seconds for each host."""

    def queue(self) -> ConductorQueue:
        """How busy the conductors are.

        :raises RecoveryError: ``message_bus_unavailable``, ``message_bus_auth_failed``,
            ``message_bus_tls_error``, ``conductor_queue_missing``, ``transport_url_invalid``.
        """

    def queue_depth(self) -> int:
        """Messages that no conductor has taken yet; errors as of :meth:`queue`."""

    def build(self, submission: BuildSubmission) -> None:
        """Send the message once, and return when the message bus has taken it.

        :raises MessageNotSent: with a code of :meth:`queue`, or ``conductor_not_listening``,
            ``message_unroutable``, ``message_refused``.
        :raises MessageInDoubt: when it may have been taken.
        :raises MutationRefused: in check mode.
        """
