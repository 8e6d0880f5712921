# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The never-booted instances that are asked for, each with its verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from . import listing
from .circumstances import NetworkHint
from .description import Description, describe
from .journal import JournalEntry
from .listing import Listed, ListingDatabases, Scope
from .network_request import show_requests
from .network_source import STORED
from .observation import CLASSES
from .preparation import NOVA_SETTLES
from .verdict import Known, Verdict, nobody_asked, reasons_of_databases
from .versioned_object import timestamp

# Where the RequestSpec is, beside STORED: Nova has removed it.
JOURNAL = "journal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which of the listed instances are meant; what is empty or None leaves open.

    ``fault`` is a part of the fault's message, in upper or lower case; ``tags`` and ``metadata``
    must all be there; ``flavor`` is a name or an id.
    """

    classes: Sequence[str] = ()
    fault: str | None = None
    tags: Sequence[str] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)
    flavor: str | None = None
    image_ids: Sequence[str] | None = None

    def admits(self, situation: str, what: Description) -> bool:
        return (
            (not self.classes or CLASSES[situation] in self.classes)
            and self._admits_fault(what)
            and set(self.tags) <= set(what.tags)
            and all(what.metadata.get(key) == value for key, value in self.metadata.items())
            and self.flavor in (None, what.flavor_name, what.flavor_id)
            and (self.image_ids is None or what.image_id in self.image_ids)
        )

    def _admits_fault(self, what: Description) -> bool:
        if not self.fault:
            return True
        return what.fault is not None and self.fault.lower() in what.fault.message.lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An instance of the result; without its rows and its spec, which a page drops."""

    known: Known
    cell: str | None
    newest: JournalEntry | None
    spec_source: str | None

    @property
    def uuid(self) -> str:
        return self.known.instance_uuid

    def as_dict(self, verdict: Verdict, hint: NetworkHint | None = None) -> dict[str, Any]:
        """What the module returns of it."""
        what, newest = self.known.description, self.newest
        stored = what.subject.stored
        return {
            "uuid": self.uuid,
            "name": what.name,
            "project_id": what.project_id,
            "user_id": what.user_id,
            "class": CLASSES[self.known.situation],
            "situation": self.known.situation,
            "cell": self.cell,
            "created_at": timestamp(what.created_at),
            "fault": None
            if what.fault is None
            else {
                "message": what.fault.message,
                "code": what.fault.code,
                "created_at": timestamp(what.fault.created_at),
            },
            "flavor": what.flavor_name,
            "image": what.image_id,
            "volumes": [volume.volume_id for volume in what.volumes],
            "availability_zone": what.availability_zone,
            "tags": list(what.tags),
            "metadata": dict(what.metadata),
            "request_spec": self.spec_source,
            "requested_networks": show_requests(stored),
            "networks_source": None if stored is None else STORED,
            "networks_hint": None
            if hint is None
            else {
                "source": hint.source,
                "requested_networks": show_requests(hint.requests),
            },
            "journal": None if newest is None else show_entry(newest),
            "verdict": verdict.as_dict(),
        }


def show_entry(entry: JournalEntry) -> dict[str, Any]:
    """What the module returns of a rebuild."""
    return {
        "state": entry.state,
        "run_id": entry.run_id,
        "updated_at": timestamp(entry.updated_at),
    }


def survey(
    databases: ListingDatabases,
    scope: Scope,
    selection: Selection,
    *,
    limit: int | None = None,
    settles: timedelta = NOVA_SETTLES,
    page_size: int = listing.PAGE_SIZE,
) -> tuple[list[Found], bool]:
    """The oldest first, and whether there are more than ``limit``.

    :param settles: how long Nova may be at work on what it has begun.
    """
    cells = databases.cells()
    found: list[Found] = []
    for page in listing.never_booted(databases, scope, page_size=page_size):
        for listed in page:
            what = describe(listed)
            if not selection.admits(listed.situation, what):
                continue
            if limit is not None and len(found) >= limit:
                return found, True
            reasons = reasons_of_databases(listed, what, cells, settles=settles)
            found.append(_found(listed, what, reasons))
    return found, False


def _found(listed: Listed, what: Description, reasons: tuple[Any, ...]) -> Found:
    source = STORED if listed.seen.request_spec is not None else None
    if listed.seen.kept_spec is not None:
        source = JOURNAL
    return Found(
        known=Known(
            instance_uuid=listed.seen.instance_uuid,
            situation=listed.situation,
            description=what,
            reasons=reasons,
            nobody_asked=nobody_asked(listed),
        ),
        cell=None if listed.cell is None else listed.cell.label,
        newest=listed.newest,
        spec_source=source,
    )


def totals(instances: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Numbers of the result: all, those that can be rebuilt, and those of each class."""
    rebuildable = sum(bool(one["verdict"]["rebuildable"]) for one in instances)
    return {
        "instances": len(instances),
        "rebuildable": rebuildable,
        "blocked": len(instances) - rebuildable,
        "classes": {
            name: sum(one["class"] == name for one in instances)
            for name in sorted(set(CLASSES.values()))
        },
    }
