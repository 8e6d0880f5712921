# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an operator wants of recoveries, as values: rules for instances, and how to go about it.

It comes from one file, which schema.py reads. A rule states some of the settings for the instances
that it matches; of each setting the first matching rule that states it wins.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Literal, TypeAlias

OPT_OUT = "opt_out"
OPT_IN = "opt_in"

LOWEST_PRIORITY, DEFAULT_PRIORITY, HIGHEST_PRIORITY = 1, 500, 1000

# Seconds that a restart group is waited for, unless it says otherwise.
GROUP_TIMEOUT = 600

SHELVE = "shelve"
DELETE = "delete"

BY_PRIORITY = "by_priority"
FAIL = "fail"

# Values that a key may have; None when it is enough that the key is there.
Values: TypeAlias = "frozenset[str] | None"


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """All that is given must hold, within one set any of it; nothing given matches everything.

    ``aggregates`` are names, of the host that the instance leaves; ``projects`` names or ids;
    ``names`` shell patterns over the whole name of the instance.
    """

    metadata: Mapping[str, Values] = field(default_factory=dict)
    tags: frozenset[str] = frozenset()
    extra_specs: Mapping[str, Values] = field(default_factory=dict)
    image_properties: Mapping[str, Values] = field(default_factory=dict)
    aggregates: frozenset[str] = frozenset()
    projects: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()

    @property
    def needs(self) -> frozenset[str]:
        """Names of the fields that are given."""
        return frozenset(f.name for f in fields(self) if getattr(self, f.name))


@dataclass(frozen=True, slots=True, kw_only=True)
class Preemptible:
    """The instance may be removed to make room, the one of the lowest ``value`` (1-1000) first.

    ``action`` is shelve or delete; ``stop_first``: shut the guest down cleanly before a delete.
    """

    value: int
    action: str = SHELVE
    stop_first: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reshape:
    """The image, the flavor, or both that the instance gets; by name or id.

    ``replace_root_disk``: what is on the disks that another image replaces may be lost.
    """

    image: str | None = None
    flavor: str | None = None
    replace_root_disk: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Settings for the instances that match; None is for what the rule does not state."""

    name: str
    match: Match
    evacuate: bool | None = None
    leave_off: bool | None = None
    priority: int | None = None
    priority_from_metadata: str | None = None
    restart_group: str | None = None
    preemptible: Preemptible | Literal[False] | None = None
    reshape: Reshape | Literal[False] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartGroup:
    """Instances that are evacuated before those of later groups; times in seconds.

    ``wait``: from when the group's last one has ended to the first of the next group.
    ``timeout``: the longest that the next group waits for this one.
    """

    name: str
    wait: int = 0
    timeout: int = GROUP_TIMEOUT


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityPolicy:
    """What happens when not all instances fit; an aggregate of hosts to enable when needed."""

    on_shortage: str = BY_PRIORITY
    reserved_aggregate: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeRoomPolicy:
    """``limit``: the most instances that one run removes; None when the policy does not say."""

    limit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The default is that of a run without a policy: everything moves, in the usual order."""

    selection: str = OPT_OUT
    rules: tuple[Rule, ...] = ()
    restart_groups: tuple[RestartGroup, ...] = ()
    capacity: CapacityPolicy = field(default_factory=CapacityPolicy)
    make_room: MakeRoomPolicy = field(default_factory=MakeRoomPolicy)

    @property
    def needs(self) -> frozenset[str]:
        """Kinds of facts that some rule matches on, as the fields of Match are called."""
        return frozenset[str]().union(*(rule.match.needs for rule in self.rules))

    def group_index(self, name: str | None) -> int:
        """Place of the restart group in its order; instances without one come after all."""
        names = [group.name for group in self.restart_groups]
        return names.index(name) if name in names else len(names)
