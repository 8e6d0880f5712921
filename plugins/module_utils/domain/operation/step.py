# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can be done with many instances, one step after another: what an operation has to tell.

A run asks an operation what it sees of an instance, and what follows from that. The operation
remembers nothing of what was done: a run that was killed is continued by one that looks again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias, TypeVar

from ..check import Check


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One instance to work on.

    ``source`` is the host that it is on at first, ``leaves`` the host that it is taken from, if it is.
    Subjects that share a key of ``not_with`` are never in progress at the same time, such as members
    of an anti-affinity group.
    """

    id: str
    name: str
    project_id: str
    source: str | None
    action: str
    leaves: str | None = None
    not_with: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Wait:
    """Nova is at work on it. ``phase`` is a word for that, such as rebuilding."""

    phase: str


@dataclass(frozen=True, slots=True)
class Act:
    """Nothing goes on: this step is next. Once its call was answered, Nova shows that it has begun.

    So one that comes out again although it was answered has ended without success.
    """

    step: str


@dataclass(frozen=True, slots=True)
class Arrived:
    """Nothing is left to do but to verify."""


@dataclass(frozen=True, slots=True)
class Fail:
    """It cannot be brought any further.

    After a step that Nova has taken up this is taken as the failure of that step, unless
    ``not_by_step`` says that the step has nothing to do with it.
    """

    code: str
    reason: str
    not_by_step: bool = False


@dataclass(frozen=True, slots=True)
class Gone:
    """It was deleted meanwhile."""


Verdict: TypeAlias = "Wait | Act | Arrived | Fail | Gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How far an instance has come, for people; ``host`` is where it is now."""

    host: str | None
    state: str


Seen = TypeVar("Seen")


class Operation(Protocol[Seen]):
    """One kind of work, for all its instances. Each call can raise RecoveryError."""

    def look(self, instance_ids: Sequence[str]) -> Mapping[str, Seen]:
        """What there is of these now; those that do not exist any more are missing."""

    def judge(self, instance_id: str, seen: Seen | None) -> Verdict:
        """What follows from what was seen; None for one that does not exist any more."""

    def standing(self, instance_id: str, seen: Seen | None) -> Standing:
        """How far it has come."""

    def send(self, instance_id: str, step: str) -> str | None:
        """Make the call of this step, once; the request id."""

    def why_ended(self, instance_id: str, step: str) -> str | None:
        """Nova's own words for why this step has come to nothing, if it has any."""

    def remedy(self, instance_id: str, seen: Seen | None) -> str | None:
        """A step that makes usable again what a step that has failed left; None for nothing.

        It is asked after each such step, and the run ends as failed all the same.
        """

    def verify(self, seen: Mapping[str, Seen | None]) -> Mapping[str, Mapping[str, Check]]:
        """All checks, by name, of each instance that has arrived.

        One of which something could not be read is missing; an error is raised only when that
        holds for all.
        """
