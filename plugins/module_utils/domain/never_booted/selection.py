# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which never-booted instances a rebuild takes, and what has to be done with each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .journal import BURIED_AGAIN, DIED, OPEN_STATES, SUBMITTED_STATES

_FAILED_BEFORE = {
    "code": "rebuild_failed_before",
    "message": "a rebuild of it has failed before: look at why, then rebuild it by hand",
}
_NETWORKS_UNKNOWN = "networks_unknown"
_BEING_BUILT = "being_built"


def rebuild_selection(
    listed: Iterable[Mapping[str, Any]],
    unfinished: Iterable[Mapping[str, Any]] = (),
    *,
    deleted: Iterable[Mapping[str, Any]] = (),
    named: Sequence[str] = (),
    can_find_networks: bool = False,
    retry_failed: bool = True,
) -> dict[str, Any]:
    """What to do with what cell0_instance_info has listed.

    ``find_networks``, ``prepare`` and ``build`` are lists of UUIDs; what is prepared is built too, but
    for those that were deleted. ``blocked`` are the listed instances that cannot be rebuilt now.

    :param listed: instances that match the selection.
    :param unfinished: build requests that were left behind; only those that the journal knows as
        unfinished are taken.
    :param deleted: what cell0_instance_info returns under that name; to prepare them closes their
        entries.
    :param named: UUIDs that the caller gave. One that is not listed has booted, or is not there: to
        have it built says which.
    :param can_find_networks: whether requested networks that were not kept are looked for.
    :param retry_failed: whether to take those again whose last rebuild has failed. What starts by
        itself must not: a rebuild that fails is announced as well, and it would never end.
    """
    begun = (one for one in unfinished if (one["journal"] or {}).get("state") in OPEN_STATES)
    instances = {one["uuid"]: one for one in (*listed, *begun)}
    find, prepare, build = [], [], []
    blocked: list[Mapping[str, Any]] = []
    for uuid, one in instances.items():
        reasons = {reason["code"] for reason in one["verdict"]["reasons"]}
        submitted = (one["journal"] or {}).get("state") in SUBMITTED_STATES
        if submitted and reasons <= {_BEING_BUILT}:
            build.append(uuid)
            continue
        if not retry_failed and (one["journal"] or {}).get("state") in (BURIED_AGAIN, DIED):
            verdict = one["verdict"]
            told = [*verdict["reasons"], _FAILED_BEFORE]
            blocked.append({**one, "verdict": {**verdict, "rebuildable": False, "reasons": told}})
            continue
        if reasons == {_NETWORKS_UNKNOWN} and can_find_networks:
            find.append(uuid)
        elif reasons:
            blocked.append(one)
            continue
        prepare.append(uuid)
        build.append(uuid)
    gone = [one["uuid"] for one in deleted]
    prepare += gone
    build += [uuid for uuid in dict.fromkeys(named) if uuid not in instances and uuid not in gone]
    return {"find_networks": find, "prepare": prepare, "build": build, "blocked": blocked}
