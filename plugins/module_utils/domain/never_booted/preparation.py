# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done to have a never-booted instance prepared for another build, or why nothing is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from ..errors import RecoveryError
from . import journal
from .build_request import build_request
from .journal import NewEntry
from .nova_rows import BuildRequestRow, Cell, InstanceRows
from .observation import (
    BOOTED,
    BUILDING,
    DELETED,
    DIED,
    DIED_ON_HOST,
    HALF_BUILT,
    HALF_BURIED,
    LEFT_BEHIND,
    ROWS_MISSING,
    UNKNOWN,
    Observation,
    home_of,
    outcome,
    situation,
)
from .refusal import Refusal
from .request_spec import RequestSpec

# Nova writes a burial or a build in several transactions: what is younger it may be at work on.
# Nova's long_rpc_timeout, in which a scheduler may answer, and rpc_response_timeout, by default.
NOVA_SETTLES = timedelta(seconds=1800 + 60)

REFUSALS = {
    UNKNOWN: ("instance_not_found", "Nova does not know it: check the uuid"),
    DELETED: ("deleted", "its user has deleted it"),
    BOOTED: ("has_booted", "it has booted before: evacuation and rebuild are for such instances"),
    BUILDING: ("still_building", "Nova is building it: wait until it is ACTIVE or in ERROR"),
    ROWS_MISSING: (
        "rows_missing",
        "its cell holds no rows of it: look into Nova's databases, somebody removed them",
    ),
    DIED_ON_HOST: (
        "on_host",
        "its build was cut off on a host, where parts of it may be left: look there, then state"
        " allow_on_host",
    ),
}

# Rewrites rows and spec, for another image or flavor; gives both back.
Rewrite = Callable[[InstanceRows, RequestSpec], tuple[InstanceRows, RequestSpec]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparation:
    """What is to be prepared, and from what.

    ``rows`` are what the cell holds, to be copied and removed. ``keeps`` the BuildRequest that is
    there, rather than to write one. ``gone`` are rows that are removed already, which only the
    journal does not say yet.
    """

    seen: Observation
    cell_id: int
    rows: InstanceRows
    spec: RequestSpec
    rewrite: Rewrite | None = None
    keeps: bool = False
    gone: bool = False

    @property
    def uuid(self) -> str:
        return self.seen.instance_uuid

    @property
    def mapped(self) -> bool:
        """Whether it still is mapped to the cell."""
        return self.seen.mapping is not None and self.seen.mapping.cell_id is not None

    @property
    def spec_is_lost(self) -> bool:
        """Whether Nova has removed its RequestSpec, so that the journal's copy is put back."""
        return self.seen.request_spec is None

    def build(self) -> Writing:
        """What is written.

        :raises RecoveryError: where Nova has stored what this collection cannot read.
        """
        lost = self.seen.kept_spec if self.spec_is_lost else None
        if self.keeps:
            return Writing(plan=self, spec=lost)
        rows, spec = self.rewrite(self.rows, self.spec) if self.rewrite else (self.rows, self.spec)
        request = build_request(rows, spec.get("availability_zone"))
        return Writing(
            plan=self,
            build_request=replace(request, created_at=self.seen.seen_at),
            spec=spec.dumps() if self.rewrite else lost,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """A preparation as texts. ``build_request`` and ``spec`` are None where they stay."""

    plan: Preparation
    build_request: BuildRequestRow | None = None
    spec: str | None = None

    @property
    def uuid(self) -> str:
        return self.plan.uuid

    def entry(self, cells: Mapping[int, Cell]) -> NewEntry:
        """What goes into the journal; ``request_spec`` is the spec before it was first rewritten."""
        seen = self.plan.seen
        # While it is mapped, what an earlier run meant to rewrite is not rewritten.
        earlier = None if self.plan.mapped else seen.entry
        rewritten = self.plan.rewrite is not None
        if earlier is not None and earlier.spec_rewritten:
            original, build_spec = earlier.request_spec, earlier.build_spec
        else:
            original, build_spec = seen.spec_text, None
        return NewEntry(
            instance_uuid=self.uuid,
            state=journal.TAKEN,
            cell_uuid=cells[self.plan.cell_id].uuid,
            project_id=self.plan.rows.instance["project_id"],
            rows=self.plan.rows,
            request_spec=original,
            spec_rewritten=rewritten or (earlier is not None and earlier.spec_rewritten),
            build_spec=self.spec if rewritten else build_spec,
        )


def decide(
    seen: Observation,
    cells: Mapping[int, Cell],
    *,
    rewrite: Rewrite | None = None,
    allow_on_host: bool = False,
    settles: timedelta = NOVA_SETTLES,
    spec: RequestSpec | None = None,
) -> Preparation | Refusal | None:
    """What to do to have an instance prepared; None when it is.

    :param allow_on_host: also when its row names a host.
    :param settles: how old a cut in Nova's own work must be.
    :param spec: taken for the stored one, where only the rest is to be decided on.
    """
    now = situation(seen, cells)
    if seen.entry and seen.entry.state in journal.SUBMITTED_STATES and not outcome(seen, now):
        return Refusal(
            code="being_built",
            message="the conductor has been asked to build it: see to the end with instance_build",
        )
    if now == DIED_ON_HOST and allow_on_host:
        now = DIED
    if now in REFUSALS:
        return Refusal(code=REFUSALS[now][0], message=REFUSALS[now][1])
    found = spec or _spec(seen)
    if isinstance(found, Refusal):
        return found
    if now == LEFT_BEHIND:
        return _nothing_to_move(seen, cells, found, rewrite)
    if now in (HALF_BURIED, HALF_BUILT) or seen.build_request is not None:
        return _finish(seen, cells, found, rewrite, settles)
    return _from_rows(seen, found, rewrite)


def _spec(seen: Observation) -> RequestSpec | Refusal:
    text = seen.spec_text
    if text is None:
        return Refusal(
            code="request_spec_missing",
            message="Nova's API database has no RequestSpec of it, and the journal no copy: it cannot"
            " be scheduled",
        )
    try:
        spec = RequestSpec.loads(text, seen.instance_uuid)
        networks = spec.requested_networks
    except RecoveryError as error:
        return Refusal(code=error.code, message=error.message)
    if networks is None:
        return Refusal(
            code="networks_unknown",
            message="Nova has not kept which networks were requested: state them with"
            " network_request",
        )
    return spec


def _nothing_to_move(
    seen: Observation, cells: Mapping[int, Cell], spec: RequestSpec, rewrite: Rewrite | None
) -> Preparation | Refusal | None:
    cut_off = seen.entry is not None and seen.entry.state == journal.TAKEN
    if rewrite is not None and seen.entry is not None and not seen.entry.spec_rewritten:
        cut_off = False
    spec_is_lost = seen.request_spec is None and rewrite is None
    if cut_off or spec_is_lost:
        # A run was cut off when it had removed the rows, and perhaps rewritten them.
        rows = seen.copy or InstanceRows(instance_uuid=seen.instance_uuid, tables={})
        cell_id = home_of(seen, cells)
        return Preparation(seen=seen, cell_id=cell_id, rows=rows, spec=spec, keeps=True, gone=True)
    if rewrite is None:
        return None
    return Refusal(
        code="already_prepared",
        message="it is a BuildRequest already: put it back first (state=buried), then give it"
        " another image or flavor",
    )


def _finish(
    seen: Observation,
    cells: Mapping[int, Cell],
    spec: RequestSpec,
    rewrite: Rewrite | None,
    settles: timedelta,
) -> Preparation | Refusal:
    """There are a BuildRequest and rows: somebody was cut off, or is at work on it."""
    if len(seen.rows) != 1:
        return Refusal(
            code="rows_in_several_cells",
            message="more than one cell holds rows of it: a person has to look which are right",
        )
    cell_id, rows = next(iter(seen.rows.items()))
    mapped = seen.mapping is not None and seen.mapping.cell_id is not None
    entry = seen.entry
    ours = not mapped and entry is not None and entry.cell_uuid == cells[cell_id].uuid
    changed = ours and seen.copy is not None and seen.copy != rows
    if ours and (changed or rewrite is not None):
        # The BuildRequest is ours, and older than the rows or for another image.
        if entry is not None and entry.spec_rewritten and rewrite is None:
            return Refusal(
                code="changed_meanwhile",
                message="it was changed while a run gave it another image or flavor: state them"
                " again",
            )
        return _from_rows(seen, spec, rewrite)
    # Nova maps an instance to its cell before it has written all rows, and removes the BuildRequest
    # last: one that is there will be gone in a moment, unless Nova was cut off.
    written = rows.instance["updated_at"] or rows.instance["created_at"]
    nobodys = entry is None or mapped
    if nobodys and seen.seen_at is not None and seen.seen_at - written < settles:
        return Refusal(
            code="still_building",
            message=f"Nova has written it less than {settles.total_seconds():.0f} s ago and may be at"
            " work on it: wait",
        )
    if rewrite is not None:
        return Refusal(
            code="burial_unfinished",
            message="Nova was cut off while it wrote its rows, which may be incomplete: prepare it"
            " without another image or flavor",
        )
    return Preparation(seen=seen, cell_id=cell_id, rows=rows, spec=spec, keeps=True)


def _from_rows(seen: Observation, spec: RequestSpec, rewrite: Rewrite | None) -> Preparation:
    cell_id, rows = next(iter(seen.rows.items()))
    entry = seen.entry
    exposed = entry is not None and seen.mapping is not None and seen.mapping.cell_id is None
    if rewrite and exposed and entry and entry.spec_rewritten and entry.request_spec is not None:
        # An earlier run has rewritten the spec: begin with what it was, but for the networks.
        spec = RequestSpec.loads(entry.request_spec, seen.instance_uuid).with_requested_networks(
            spec.requested_networks
        )
    return Preparation(seen=seen, cell_id=cell_id, rows=rows, spec=spec, rewrite=rewrite)
