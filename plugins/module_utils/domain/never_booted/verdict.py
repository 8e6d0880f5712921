# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a never-booted instance can be rebuilt now, and if not, why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from . import journal
from .description import Description, NeededVolume
from .listing import Listed
from .network_check import NetworkProblem
from .network_request import is_none
from .nova_rows import Cell
from .observation import CLASSES, HALF_BUILT, HALF_BURIED, LEFT_BEHIND
from .preparation import NOVA_SETTLES, decide
from .refusal import Refusal
from .request_spec import RequestSpec, network_request_list
from .versioned_object import primitive

# What can be left unchecked.
IMAGES, VOLUMES, NETWORKS, QUEUE = "images", "volumes", "networks", "queue"
CHECKS = (IMAGES, VOLUMES, NETWORKS, QUEUE)

# A volume that this instance has reserved; a multi-attach one is in use by others as well.
_RESERVED = frozenset({"reserved", "attaching", "in-use"})
# Stands for every spec where only the rest is to be decided on.
_ANY_SPEC = RequestSpec(
    primitive("RequestSpec", {"requested_networks": network_request_list([])}, version="1.14")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What was looked up beyond Nova's databases; None was not looked up.

    ``images`` and ``volumes`` are the status of each that exists, ``attachments`` the instance of
    each attachment, ``networks`` the problems by instance, ``queued`` how many messages no conductor
    has taken yet.
    """

    images: Mapping[str, str] | None = None
    volumes: Mapping[str, str] | None = None
    attachments: Mapping[str, str] | None = None
    networks: Mapping[str, Sequence[NetworkProblem]] | None = None
    queued: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What a verdict needs of one instance. ``reasons`` are those of the databases.

    ``nobody_asked`` is True where the journal says that no message can be under way.
    """

    instance_uuid: str
    situation: str
    description: Description
    reasons: tuple[Refusal, ...] = ()
    nobody_asked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """``unchecked`` are the checks that this instance needs, and that nobody made."""

    reasons: tuple[Refusal, ...]
    unchecked: tuple[str, ...] = ()

    @property
    def rebuildable(self) -> bool:
        """As far as was checked."""
        return not self.reasons

    def as_dict(self) -> dict[str, object]:
        return {
            "rebuildable": self.rebuildable,
            "reasons": [{"code": one.code, "message": one.message} for one in self.reasons],
            "unchecked": list(self.unchecked),
        }


def reasons_of_databases(
    listed: Listed,
    description: Description,
    cells: Mapping[int, Cell],
    *,
    settles: timedelta = NOVA_SETTLES,
) -> tuple[Refusal, ...]:
    """Why Nova's databases and the journal say that it cannot be rebuilt now.

    The codes are those with which cell0_rebuild_prep and instance_build would refuse it, but for
    ``half_built``, which is their ``still_building`` where rows were written.
    """
    return tuple(_reasons_of_databases(listed, description, cells, settles))


def _reasons_of_databases(
    listed: Listed, description: Description, cells: Mapping[int, Cell], settles: timedelta
) -> Iterator[Refusal]:
    seen = listed.seen
    # Networks that are not known, or a broken spec, must not hide what else is the matter.
    spec = None if seen.spec_text is None else _ANY_SPEC
    plan = decide(seen, cells, settles=settles, spec=spec)
    if isinstance(plan, Refusal):
        is_half = listed.situation in (HALF_BUILT, HALF_BURIED)
        yield replace(plan, code="half_built") if _waits(plan) and is_half else plan
    elif left := _left_to_wait(listed, settles):
        yield Refusal(
            code="still_building",
            message="Nova may be at work on it: it was not prepared by this collection, and is"
            f" younger than settle_time. Try again in {left:.0f} s",
        )
    if description.unreadable is not None:
        yield Refusal(code="unexpected_object", message=description.unreadable)
    elif description.subject.stored is None and seen.spec_text is not None:
        yield Refusal(
            code="networks_unknown",
            message="Nova has not kept which networks were requested: state them with"
            " network_request",
        )


def _waits(refusal: Refusal) -> bool:
    return refusal.code == "still_building"


def _left_to_wait(listed: Listed, settles: timedelta) -> float:
    """Seconds until a BuildRequest that nobody of this collection wrote counts as left behind."""
    seen = listed.seen
    if listed.situation != LEFT_BEHIND or seen.entry is not None or seen.build_request is None:
        return 0.0
    written = seen.build_request.created_at
    if written is None or seen.seen_at is None:
        return 0.0
    return max((settles - (seen.seen_at - written)).total_seconds(), 0.0)


def nobody_asked(listed: Listed) -> bool:
    """Whether the journal says that the conductor was not asked since the BuildRequest was written."""
    entry = listed.seen.entry
    return entry is not None and entry.state in (journal.TAKEN, journal.PREPARED)


def give_verdict(known: Known, around: Circumstances) -> Verdict:
    """What is known of one instance and what was looked up, taken together."""
    reasons = list(known.reasons)
    unchecked = []
    for name, needed, problems in (
        (IMAGES, known.description.image_id is not None, _image(known, around)),
        (VOLUMES, bool(known.description.volumes), _volumes(known, around)),
        (NETWORKS, _needs_networks(known), _networks(known, around)),
        (QUEUE, CLASSES[known.situation] == "c" and not known.nobody_asked, _queue(around)),
    ):
        if needed and problems is None:
            unchecked.append(name)
        elif needed and problems is not None:
            reasons += problems
    return Verdict(reasons=tuple(reasons), unchecked=tuple(unchecked))


def _image(known: Known, around: Circumstances) -> list[Refusal] | None:
    image_id = known.description.image_id
    if around.images is None or image_id is None:
        return None
    status = around.images.get(image_id)
    if status is None:
        message = f"image {image_id} does not exist: give another image, or restore it"
        return [Refusal(code="image_gone", message=message)]
    if status != "active":
        message = f"image {image_id} is {status}: reactivate it, or give another image"
        return [Refusal(code="image_not_active", message=message)]
    return []


def _volumes(known: Known, around: Circumstances) -> list[Refusal] | None:
    volumes, attachments = around.volumes, around.attachments
    if volumes is None or attachments is None:
        return None
    found = (
        _volume(known.instance_uuid, volume, volumes, attachments)
        for volume in known.description.volumes
    )
    return [problem for problem in found if problem is not None]


def _volume(
    instance_uuid: str,
    needed: NeededVolume,
    volumes: Mapping[str, str],
    attachments: Mapping[str, str],
) -> Refusal | None:
    status = volumes.get(needed.volume_id)
    if status is None:
        return Refusal(
            code="volume_gone",
            message=f"volume {needed.volume_id} does not exist: the instance cannot have it again",
        )
    holder = attachments.get(needed.attachment_id) if needed.attachment_id is not None else None
    if needed.attachment_id is None:
        is_fine, why = status == "available", f"is {status}, and not reserved for this instance"
    elif holder is None:
        # Nova asks for this very attachment, whatever the volume's status is.
        is_fine, why = False, f"is {status}, and its reservation ({needed.attachment_id}) is gone"
    elif holder != instance_uuid:
        is_fine, why = False, f"is reserved for instance {holder}"
    else:
        is_fine, why = status in _RESERVED, f"is {status}"
    if is_fine:
        return None
    return Refusal(
        code="volume_not_available",
        message=f"volume {needed.volume_id} {why}: see in Cinder who uses it",
    )


def _needs_networks(known: Known) -> bool:
    stored = known.description.subject.stored
    return stored is not None and not is_none(stored)


def _networks(known: Known, around: Circumstances) -> list[Refusal] | None:
    if around.networks is None:
        return None
    return [
        Refusal(code=problem.code, message=problem.message)
        for problem in around.networks.get(known.instance_uuid, ())
    ]


def _queue(around: Circumstances) -> list[Refusal] | None:
    if around.queued is None:
        return None
    if not around.queued:
        return []
    return [
        Refusal(
            code="queue_not_drained",
            message=f"{around.queued} messages wait for the conductors, and one of them may be that"
            " of this instance: try again when the queue is empty",
        )
    ]
