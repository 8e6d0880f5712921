# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan of a reshape: the steps of each instance, or why it is refused.

Check mode returns this object, a run applies it and the diff renders it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..errors import RecoveryError
from ..never_booted.refusal import Refusal
from ..nova import Instance
from ..operation.result import SKIPPED
from ..operation.step import Subject
from ..operation.work import GONE
from .shape import Shape, Wanted
from .steps import REBUILD, RESIZE
from .verification import Before


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """All instances of ``host``, or those named, or those named of the host.

    ``image`` and ``flavor`` are names or ids. ``skip_refused`` and ``skip_missing``: do the others all the
    same.
    """

    host: str | None
    instances: tuple[str, ...] | None
    image: str | None
    flavor: str | None
    replace_root_disk: bool = False
    skip_refused: bool = False
    skip_missing: bool = False

    def __post_init__(self) -> None:
        if self.instances is not None and not self.instances:
            raise RecoveryError(
                "invalid_options",
                "'instances' is an empty list: it does not mean all. Leave it out to take every"
                " instance of 'host'.",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedReshape:
    """``action`` is rebuild, resize, both in their order, adopt or verify.

    ``steps`` are those that are still to be sent, also for what is adopted; a resize has to be
    confirmed besides.
    """

    shape: Shape
    before: Before
    wanted: Wanted
    action: str
    steps: tuple[str, ...]
    not_with: frozenset[str] = frozenset()

    @property
    def subject(self) -> Subject:
        now = self.shape.instance
        return Subject(
            id=now.id,
            name=now.name,
            project_id=now.project_id,
            source=now.host,
            action=self.action,
            not_with=self.not_with,
        )

    @property
    def changes_something(self) -> bool:
        return bool(self.steps)

    @property
    def loses(self) -> str | None:
        """What of its data a rebuild replaces."""
        return data_lost(self.shape) if REBUILD in self.steps else None

    def as_dict(self) -> dict[str, Any]:
        image, flavor = self.wanted.image, self.wanted.flavor
        return {
            **_identity(self.shape.instance),
            "action": self.action,
            "image": {"from": self.shape.image_id, "to": image.id} if image else None,
            "flavor": {"from": self.shape.flavor_name, "to": flavor.name} if flavor else None,
            "power_state": self.before.power,
            "one_at_a_time_with": sorted(self.not_with),
            "data_lost": self.loses,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedInstance:
    instance: Instance
    refusal: Refusal

    def as_dict(self) -> dict[str, Any]:
        return {
            **_identity(self.instance),
            "action": "skip",
            "code": self.refusal.code,
            "reason": self.refusal.message,
        }

    def result(self) -> dict[str, Any]:
        """As one of the module's instances."""
        return {**self.as_dict(), "status": SKIPPED}


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingInstance:
    """``name``, or id, as it was given: Nova has no such instance."""

    name: str

    def as_dict(self) -> dict[str, Any]:
        return {
            "id": self.name,
            "name": self.name,
            "project_id": None,
            "from": None,
            "action": "skip",
            "code": "deleted",
            "reason": "Nova has no such instance any more",
        }

    def result(self) -> dict[str, Any]:
        """As one of the module's instances."""
        return {**self.as_dict(), "status": GONE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What an earlier run has begun comes first, the others in the order in which they were named."""

    wanted: Wanted
    reshapes: tuple[PlannedReshape, ...] = ()
    refused: tuple[RefusedInstance, ...] = ()
    missing: tuple[MissingInstance, ...] = ()

    @property
    def skipped(self) -> tuple[RefusedInstance | MissingInstance, ...]:
        return (*self.refused, *self.missing)

    @property
    def changes_something(self) -> bool:
        return any(planned.changes_something for planned in self.reshapes)

    def as_list(self) -> list[dict[str, Any]]:
        return [planned.as_dict() for planned in self.reshapes] + [
            skipped.as_dict() for skipped in self.skipped
        ]

    def totals(self) -> dict[str, int]:
        """Counts by what is to be done."""
        actions = [planned.action for planned in self.reshapes]
        return {
            "planned": len(actions),
            "rebuild": sum(REBUILD in action for action in actions),
            "resize": sum(RESIZE in action for action in actions),
            "adopt": actions.count("adopt"),
            "verify": actions.count("verify"),
            "skip": len(self.skipped),
        }


def data_lost(shape: Shape) -> str:
    """What a rebuild with another image replaces."""
    root = "root volume" if shape.root_volume else "root disk"
    return f"{root} and ephemeral disk" if shape.instance.ephemeral_gb else root


def _identity(instance: Instance) -> dict[str, Any]:
    return {
        "id": instance.id,
        "name": instance.name,
        "project_id": instance.project_id,
        "from": instance.host,
    }
