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
    outcome,
    situation,
)
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
class Refusal:
    """Why nothing is done with an instance: a code, and what to do."""

    code: str
    message: str


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

    def build(self) -> Writing:
        """What is written.

        :raises RecoveryError: where Nova has stored what this collection cannot read.
        """
        if self.keeps:
            return Writing(plan=self)
        rows, spec = self.rewrite(self.rows, self.spec) if self.rewrite else (self.rows, self.spec)
        request = build_request(rows, spec.get("availability_zone"))
        return Writing(
            plan=self,
            build_request=replace(request, created_at=self.seen.seen_at),
            spec=spec.dumps() if self.rewrite else None,
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
        before = seen.request_spec.spec if seen.request_spec is not None else None
        kept = seen.entry.request_spec if seen.entry is not None else None
        if kept is None:
            original = before if self.spec is not None else None
        else:
            # While it is mapped, what an earlier run meant to rewrite is not rewritten.
            original = before if self.plan.mapped else kept
        return NewEntry(
            instance_uuid=self.uuid,
            state=journal.TAKEN,
            cell_uuid=cells[self.plan.cell_id].uuid,
            project_id=self.plan.rows.instance["project_id"],
            rows=self.plan.rows,
            request_spec=original,
        )


def decide(
    seen: Observation,
    cells: Mapping[int, Cell],
    *,
    rewrite: Rewrite | None = None,
    allow_on_host: bool = False,
    settles: timedelta = NOVA_SETTLES,
) -> Preparation | Refusal | None:
    """What to do to have an instance prepared; None when it is.

    :param allow_on_host: also when its row names a host.
    :param settles: how old a cut in Nova's own work must be.
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
    spec = _spec(seen)
    if isinstance(spec, Refusal):
        return spec
    if now == LEFT_BEHIND:
        return _nothing_to_move(seen, cells, spec, rewrite)
    if now in (HALF_BURIED, HALF_BUILT) or seen.build_request is not None:
        return _finish(seen, cells, spec, rewrite, settles)
    return _from_rows(seen, spec, rewrite)


def _spec(seen: Observation) -> RequestSpec | Refusal:
    if seen.request_spec is None:
        return Refusal(
            code="request_spec_missing",
            message="Nova's API database has no RequestSpec of it: it cannot be scheduled",
        )
    try:
        spec = RequestSpec.loads(seen.request_spec.spec, seen.instance_uuid)
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
    cell_id = _taken_from(seen, cells)
    cut_off = seen.entry is not None and seen.entry.state == journal.TAKEN
    if rewrite is not None and seen.entry is not None and seen.entry.request_spec is None:
        cut_off = False
    if cut_off and cell_id is not None:
        # A run was cut off when it had removed the rows, and perhaps rewritten them.
        rows = seen.copy or InstanceRows(instance_uuid=seen.instance_uuid, tables={})
        return Preparation(seen=seen, cell_id=cell_id, rows=rows, spec=spec, keeps=True, gone=True)
    if rewrite is None:
        return None
    return Refusal(
        code="already_prepared",
        message="it is a BuildRequest already: put it back first (state=buried), then give it"
        " another image or flavor",
    )


def _taken_from(seen: Observation, cells: Mapping[int, Cell]) -> int | None:
    """The cell of which the journal has a copy."""
    where = seen.entry.cell_uuid if seen.entry is not None else None
    return next((i for i, cell in cells.items() if cell.uuid == where), None)


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
    ours = not mapped and _taken_from(seen, cells) == cell_id
    changed = ours and seen.copy is not None and seen.copy != rows
    if ours and (changed or rewrite is not None):
        # The BuildRequest is ours, and older than the rows or for another image.
        if seen.entry is not None and seen.entry.request_spec is not None and rewrite is None:
            return Refusal(
                code="changed_meanwhile",
                message="it was changed while a run gave it another image or flavor: state them"
                " again",
            )
        return _from_rows(seen, spec, rewrite)
    # Nova maps an instance to its cell before it has written all rows, and removes the BuildRequest
    # last: one that is there will be gone in a moment, unless Nova was cut off.
    written = rows.instance["updated_at"] or rows.instance["created_at"]
    nobodys = seen.entry is None or mapped
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
    before = seen.entry.request_spec if seen.entry is not None else None
    if before is not None and seen.mapping is not None and seen.mapping.cell_id is None:
        # An earlier run has rewritten the spec: begin with what it was, but for the networks.
        spec = RequestSpec.loads(before, seen.instance_uuid).with_requested_networks(
            spec.requested_networks
        )
    return Preparation(seen=seen, cell_id=cell_id, rows=rows, spec=spec, rewrite=rewrite)
