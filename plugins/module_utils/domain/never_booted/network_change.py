# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writing requested networks into RequestSpecs: all instances of a call, or none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..errors import RecoveryError
from .databases import Databases
from .network_check import NetworkProblem, check_requests
from .network_request import Requests, requests_from, show_requests, stored_fields
from .network_source import GIVEN, Found, check_sources, find_requests
from .network_subject import Subject, subject_of_build_request, subject_of_rows
from .network_vocabulary import Wanted
from .neutron import NetworkCloud
from .nova_rows import RequestSpecRow
from .request_spec import RequestSpec

# Of instances, by uuid.
_Problems = dict[str, list[NetworkProblem]]


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkChange:
    """What becomes of one instance. ``after`` None takes the requested networks out."""

    row: RequestSpecRow
    before: Requests | None
    after: Requests | None
    source: str | None = None

    @property
    def changes(self) -> bool:
        return self.before != self.after

    def spec(self) -> str:
        """The RequestSpec with it."""
        spec = RequestSpec.loads(self.row.spec, self.row.instance_uuid)
        return spec.with_requested_networks(stored_fields(self.after)).dumps()

    def shown(self) -> dict[str, object]:
        return {
            "uuid": self.row.instance_uuid,
            "requested_networks": show_requests(self.after),
            "source": self.source,
            "changed": self.changes,
        }

    def diff(self) -> dict[str, object]:
        uuid = self.row.instance_uuid
        return {
            "before_header": uuid,
            "after_header": uuid,
            "before": {"requested_networks": show_requests(self.before)},
            "after": {"requested_networks": show_requests(self.after)},
        }


def plan_present(
    databases: Databases,
    cloud: NetworkCloud,
    instance_uuids: Sequence[str],
    wanted: Wanted | None,
    sources: Sequence[str] = (GIVEN,),
) -> list[NetworkChange]:
    """What to write so that these instances have these networks; nothing is written yet.

    :raises RecoveryError: ``invalid_options``, or the problems of all instances at once:
        ``network_request_refused``, ``instance_not_found`` or another code of REFUSALS.
    """
    check_sources(wanted, sources)
    subjects, rows, refused = _read(databases, instance_uuids)
    found = find_requests(cloud, list(subjects.values()), wanted, sources)
    unmet = check_requests(
        cloud,
        [
            (subjects[uuid], each.requests)
            for uuid, each in found.items()
            # An empty list is a request, unless it only has lost what could not be found.
            if each.requests is not None and (each.requests or not each.problems)
        ],
    )
    problems = {
        uuid: [*each.problems, *unmet.get(uuid, ())]
        for uuid, each in found.items()
        if each.problems or uuid in unmet
    }
    _raise_if({**refused, **problems})
    return [_change(rows[uuid], subjects[uuid], found[uuid]) for uuid in subjects]


def plan_absent(databases: Databases, instance_uuids: Sequence[str]) -> list[NetworkChange]:
    """What to write so that nothing is stored any more.

    :raises RecoveryError: as ``plan_present``.
    """
    subjects, rows, refused = _read(databases, instance_uuids)
    _raise_if(refused)
    return [
        NetworkChange(row=rows[uuid], before=subject.stored, after=None)
        for uuid, subject in subjects.items()
    ]


def write_changes(databases: Databases, changes: Sequence[NetworkChange]) -> None:
    """Write what changes, if none of the specs was changed meanwhile.

    :raises RecoveryError: ``request_spec_changed``, and nothing is written.
    """
    writes = [change for change in changes if change.changes]
    if not writes:
        return
    with databases.transaction(None) as transaction, transaction.step():
        now = databases.api.request_specs((c.row.instance_uuid for c in writes), lock=True)
        # All are compared before the first is written.
        moved = [c.row.instance_uuid for c in writes if not _is_still(c.row, now)]
        if moved:
            raise _changed(moved)
        for change in writes:
            if not databases.api.replace_request_spec(change.row, change.spec()):
                raise _changed([change.row.instance_uuid])


def _is_still(row: RequestSpecRow, now: Mapping[str, RequestSpecRow]) -> bool:
    found = now.get(row.instance_uuid)
    return found is not None and found.spec == row.spec


def _change(row: RequestSpecRow, subject: Subject, found: Found) -> NetworkChange:
    return NetworkChange(row=row, before=subject.stored, after=found.requests, source=found.source)


def _read(
    databases: Databases, instance_uuids: Sequence[str]
) -> tuple[dict[str, Subject], Mapping[str, RequestSpecRow], _Problems]:
    """The instances in the order of the call, each once, their specs, and what is no instance."""
    uuids = list(dict.fromkeys(instance_uuids))
    mappings = databases.api.instance_mappings(uuids)
    build_requests = databases.api.build_requests(uuids)
    rows = databases.api.request_specs(uuids)
    by_cell: dict[int, list[str]] = {}
    for mapping in mappings.values():
        if mapping.cell_id is not None:
            by_cell.setdefault(mapping.cell_id, []).append(mapping.instance_uuid)
    in_cells = {
        uuid: found
        for cell_id, members in by_cell.items()
        for uuid, found in databases.cell(cell_id).instance_rows(members).items()
    }
    subjects: dict[str, Subject] = {}
    refused: _Problems = {}
    for uuid in uuids:
        seen = mappings.get(uuid)
        cell_rows, request = in_cells.get(uuid), build_requests.get(uuid)
        if seen is None:
            refused[uuid] = [_REFUSALS["instance_not_found"]]
        elif seen.queued_for_delete or (seen.cell_id is None and request is None):
            refused[uuid] = [_REFUSALS["deleted"]]
        elif cell_rows is None and seen.cell_id is not None:
            refused[uuid] = [_REFUSALS["rows_missing"]]
        elif cell_rows is not None and cell_rows.instance["launched_at"] is not None:
            refused[uuid] = [_REFUSALS["has_booted"]]
        elif uuid not in rows:
            refused[uuid] = [_REFUSALS["request_spec_missing"]]
        else:
            stored = requests_from(RequestSpec.loads(rows[uuid].spec, uuid).requested_networks)
            if cell_rows is not None:
                subjects[uuid] = subject_of_rows(cell_rows, stored)
            elif request is not None:
                subjects[uuid] = subject_of_build_request(request, stored)
    return subjects, rows, refused


_REFUSALS = {
    code: NetworkProblem(code=code, message=message)
    for code, message in (
        ("instance_not_found", "Nova does not know it: check the uuid"),
        ("deleted", "its user has deleted it"),
        ("has_booted", "it has booted: its interfaces are Neutron's, nothing is to be kept"),
        ("rows_missing", "the cell that it is mapped to holds no rows of it: repair the mapping"),
        (
            "request_spec_missing",
            "Nova has no RequestSpec of it to keep them in: cell0_rebuild_prep puts it back, if the"
            " journal has a copy",
        ),
    )
}


def _raise_if(problems: _Problems) -> None:
    if not problems:
        return
    codes = {problem.code for each in problems.values() for problem in each}
    # One reason alone is a code to branch on; several are in the details.
    only = codes.pop() if len(codes) == 1 else None
    lines = [
        f"instance {uuid}: {problem.message}" for uuid, each in problems.items() for problem in each
    ]
    raise RecoveryError(
        only if only in _REFUSALS else "network_request_refused",
        f"nothing is written. {'; '.join(lines)}",
        details={
            "problems": {
                uuid: [{"code": problem.code, "message": problem.message} for problem in each]
                for uuid, each in problems.items()
            }
        },
    )


def _changed(uuids: Sequence[str]) -> RecoveryError:
    return RecoveryError(
        "request_spec_changed",
        f"Nova has changed the RequestSpec of {', '.join(uuids)} meanwhile, and nothing was"
        " written: run it again",
        retriable=True,
        details={"instances": list(uuids)},
    )
