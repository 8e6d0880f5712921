# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which instances are to be rewritten for another image or flavor, tried before anything is changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ..errors import RecoveryError
from .another_build import Build, Replacement
from .batch_run import batches
from .databases import Databases
from .observation import Observation, observe
from .preparation import Rewrite
from .refusal import Refusal
from .request_spec import RequestSpec


@dataclass(slots=True, kw_only=True)
class Rewriting:
    """For each instance what rewrites it, why it cannot be, and what it is built from."""

    rewrites: dict[str, Rewrite] = field(default_factory=dict)
    refusals: dict[str, Refusal] = field(default_factory=dict)
    before: dict[str, Mapping[str, str | None]] = field(default_factory=dict)
    after: dict[str, Mapping[str, str | None]] = field(default_factory=dict)


def plan_rewrites(
    databases: Databases, instance_uuids: Iterable[str], replacement: Replacement
) -> Rewriting:
    """Try it on what is stored now, and change nothing.

    Those that have that image and flavor already are not among the rewrites, and those that Nova
    does not have as never-booted are not looked at.
    """
    plan = Rewriting()
    for batch in batches(list(instance_uuids)):
        for uuid, seen in observe(databases, batch).items():
            try:
                _plan_one(seen, replacement, plan)
            except RecoveryError as error:
                plan.refusals[uuid] = Refusal(code=error.code, message=error.message)
    return plan


def _plan_one(seen: Observation, replacement: Replacement, plan: Rewriting) -> None:
    uuid = seen.instance_uuid
    text = seen.spec_text
    if text is None or seen.mapping is None:
        return
    entry = seen.entry
    rewritten = entry.request_spec if entry is not None and entry.spec_rewritten else None
    cut_off = seen.mapping.cell_id is None and bool(seen.rows) and rewritten is not None
    # A run that was cut off has rewritten the spec: the rows are still what they were.
    spec = RequestSpec.loads(rewritten if cut_off and rewritten is not None else text, uuid)
    plan.before[uuid] = plan.after[uuid] = Build.of(spec).names
    if not cut_off and not replacement.differs(spec):
        return
    plan.rewrites[uuid] = replacement.rewrite
    plan.after[uuid] = replacement.target(spec)[1].names
    for rows in seen.rows.values():
        replacement.rewrite(rows, spec)
