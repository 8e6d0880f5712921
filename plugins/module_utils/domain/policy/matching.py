# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which instances a rule matches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Protocol

from ..nova import Instance
from .policy import Match, Policy, Values

# Facts that come with the instance itself: they cost no request.
FREE = frozenset({"metadata", "tags", "extra_specs", "names"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """An instance as rules see it; what no rule matches on may be left out.

    ``aggregates`` are names, of the host that it leaves. ``notes`` say what could not be read.
    """

    name: str
    project_id: str
    project_name: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    tags: frozenset[str] = frozenset()
    extra_specs: Mapping[str, str] = field(default_factory=dict)
    image_properties: Mapping[str, str] = field(default_factory=dict)
    aggregates: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, instance: Instance) -> Subject:
        """With what the instance itself tells."""
        return cls(
            name=instance.name,
            project_id=instance.project_id,
            metadata=instance.metadata,
            tags=instance.tags,
            extra_specs=instance.extra_specs,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Subjects by the id of the instance; ``notes`` say what of the policy names nothing."""

    subjects: Mapping[str, Subject]
    notes: tuple[str, ...] = ()


class PolicyFacts(Protocol):
    """What a cloud knows of instances that rules match on."""

    def policy_facts(
        self, policy: Policy, instances: Iterable[Instance], *, reshapes: bool = False
    ) -> Facts:
        """A subject for each instance, with the facts that the policy's rules need of it.

        :param reshapes: whether to note what instances are to become by the policy and cannot.
        """


def matches(match: Match, subject: Subject) -> bool:
    """Whether all that is given holds of the instance."""
    return (
        _hold(match.metadata, subject.metadata)
        and _any(match.tags, subject.tags)
        and _hold(match.extra_specs, subject.extra_specs)
        and _hold(match.image_properties, subject.image_properties)
        and _any(match.aggregates, subject.aggregates)
        and _any(match.projects, {subject.project_id, subject.project_name})
        and (not match.names or any(fnmatchcase(subject.name, name) for name in match.names))
    )


def covers(general: Match, special: Match) -> bool:
    """True when every instance that ``special`` matches is also matched by ``general``.

    False may be wrong: patterns of names are compared as they are written.
    """
    return (
        _keys_cover(general.metadata, special.metadata)
        and _set_covers(general.tags, special.tags)
        and _keys_cover(general.extra_specs, special.extra_specs)
        and _keys_cover(general.image_properties, special.image_properties)
        and _set_covers(general.aggregates, special.aggregates)
        and _set_covers(general.projects, special.projects)
        and ("*" in general.names or _set_covers(general.names, special.names))
    )


def _hold(wanted: Mapping[str, Values], actual: Mapping[str, str]) -> bool:
    return all(
        key in actual and (values is None or actual[key] in values)
        for key, values in wanted.items()
    )


def _any(wanted: frozenset[str], actual: Iterable[str | None]) -> bool:
    return not wanted or not wanted.isdisjoint(actual)


def _keys_cover(general: Mapping[str, Values], special: Mapping[str, Values]) -> bool:
    return all(
        key in special and _values_cover(values, special[key]) for key, values in general.items()
    )


def _values_cover(general: Values, special: Values) -> bool:
    return general is None or (special is not None and special <= general)


def _set_covers(general: frozenset[str], special: frozenset[str]) -> bool:
    return not general or (bool(special) and special <= general)
