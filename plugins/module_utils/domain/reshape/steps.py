# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which step comes next for an instance, from what is seen of it alone.

The image comes first, as long as it fits the flavor that the instance has; else the flavor. A
rebuild shows the new image from the moment it was asked for, so the image of an instance in ERROR
says nothing: what was last asked of it does.
"""

from __future__ import annotations

from ..evacuation.power import OFF
from ..operation.step import Act, Arrived, Fail, Gone, Standing, Verdict, Wait
from .fit import fits_now
from .shape import Shape, Wanted

REBUILD = "rebuild"
RESIZE = "resize"
CONFIRM = "confirm"
STOP = "stop"
HARD_REBOOT = "hard_reboot"

# Status of a resize record that waits for its confirmation.
FINISHED = "finished"
_CONFIRMING = frozenset({"confirming", "confirmed"})


def pending(shape: Shape, wanted: Wanted) -> list[str]:
    """What is left of rebuild and resize, in their order."""
    image = wanted.image if _needs_image(shape, wanted) else None
    flavor = wanted.flavor if wanted.flavor and not shape.has_flavor(wanted.flavor) else None
    if image and flavor:
        return [REBUILD, RESIZE] if fits_now(shape, image) else [RESIZE, REBUILD]
    return [REBUILD] * bool(image) + [RESIZE] * bool(flavor)


def next_step(shape: Shape | None, wanted: Wanted, power: str) -> Verdict:
    """:param power: whether it is meant to run, a word of evacuation/power.py."""
    if shape is None or shape.instance.is_being_deleted:
        return Gone()
    now = shape.instance
    if now.task_state is not None:
        return Wait(now.task_state)
    if now.vm_state == "resized":
        return _resized(shape, wanted)
    if now.vm_state == "error":
        return _in_error(shape, wanted)
    if now.vm_state not in ("active", "stopped"):
        return Fail(
            "vm_state_not_allowed", f"its vm_state is {now.vm_state}, and must be active or stopped"
        )
    if left := pending(shape, wanted):
        return Act(left[0])
    if now.vm_state == "active" and power == OFF:
        # Nova starts what was in ERROR.
        return Act(STOP)
    return Arrived()


def remedy(shape: Shape | None, wanted: Wanted, power: str) -> str | None:
    """What makes an instance usable after a step has failed."""
    if shape is None:
        return None
    if shape.instance.vm_state == "error":
        return None if _is_without_root_disk(shape, wanted) else HARD_REBOOT
    if shape.instance.vm_state == "active" and power == OFF:
        return STOP
    return None


def standing(shape: Shape | None, wanted: Wanted) -> Standing:
    """For people, for example: new image, old flavor, in ERROR."""
    if shape is None:
        return Standing(host=None, state="deleted")
    now, words = shape.instance, []
    if wanted.image:
        words.append(f"{'new' if shape.has_image(wanted.image) else 'old'} image")
    if wanted.flavor:
        words.append(f"{'new' if shape.has_flavor(wanted.flavor) else 'old'} flavor")
    if shape.root_volume and shape.root_volume.status != "in-use":
        words.append(f"root volume {shape.root_volume.id} is {shape.root_volume.status}")
    if now.task_state:
        words.append(now.task_state)
    elif now.vm_state == "resized":
        words.append("resize not confirmed")
    elif now.vm_state == "error":
        unbuilt = _is_without_root_disk(shape, wanted)
        words.append("in ERROR, its root disk was not built" if unbuilt else "in ERROR")
    else:
        words.append("running" if now.vm_state == "active" else now.vm_state)
    return Standing(host=now.host, state=", ".join(words))


def _needs_image(shape: Shape, wanted: Wanted) -> bool:
    if wanted.image is None:
        return False
    # After a rebuild that has failed there is the new image in name only.
    failed = shape.instance.vm_state == "error" and shape.newest_action == REBUILD
    return failed or not shape.has_image(wanted.image)


def _resized(shape: Shape, wanted: Wanted) -> Verdict:
    if wanted.flavor is None or not shape.has_flavor(wanted.flavor):
        return Fail(
            "resize_pending",
            f"a resize to flavor {shape.flavor_name} waits for its confirmation: confirm or revert"
            " it first",
        )
    if shape.resize_status == FINISHED:
        return Act(CONFIRM)
    # Nova has a resize confirmed long before it shows the instance as active.
    if shape.resize_status in _CONFIRMING:
        return Wait("confirming")
    what = f"its resize is {shape.resize_status}" if shape.resize_status else "it was migrated"
    return Fail(
        "resize_pending",
        f"{what}, and waits for somebody to confirm or revert that: do so first",
    )


def _in_error(shape: Shape, wanted: Wanted) -> Verdict:
    if shape.root_volume and shape.root_volume.status != "in-use":
        return Fail(
            "root_volume",
            f"its root volume {shape.root_volume.id} is {shape.root_volume.status}: look at why in"
            " Cinder's log, set its state to in-use, and run again",
        )
    if wanted.image is not None and shape.newest_action == REBUILD:
        return Act(REBUILD)
    left = f", where '{shape.newest_action}' has left it" if shape.newest_action else ""
    return Fail(
        "in_error", f"it is in ERROR{left}: look at its fault, and bring it back to work first"
    )


def _is_without_root_disk(shape: Shape, wanted: Wanted) -> bool:
    """Nova had taken the root disk away to build the new one."""
    if shape.newest_action != REBUILD or wanted.image is None:
        return False
    # Nova puts the old image back where the scheduler refuses, before anything is done on the host.
    return shape.has_image(wanted.image) or shape.instance.image_id is None
