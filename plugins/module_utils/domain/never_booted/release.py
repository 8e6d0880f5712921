# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which release of Nova this is, by what its databases say, and whether it is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import RecoveryError


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownRelease:
    """A release by the newest migration of each schema and the version of its services."""

    name: str
    nova: str
    api_head: str
    cell_head: str
    service_version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenRelease:
    """What the databases say.

    :param api_head: of the API database; None where nothing has been migrated.
    :param cell_heads: of each cell, by its label.
    :param service_versions: lowest and highest of the services in all cells; None without any.
    """

    api_head: str | None
    cell_heads: Mapping[str, str | None]
    service_versions: tuple[int, int] | None

    def show(self) -> dict[str, Any]:
        """For details and results: plain values."""
        return {
            "api_head": self.api_head,
            "cell_heads": dict(self.cell_heads),
            "service_versions": list(self.service_versions or ()),
        }


# Yoga's, the oldest computes that Zed works with.
_OLDEST_SERVICE = 61
_B30, _CDE = "b30f573d3377", "cdeec0c85668"
# From each release's own nova/db/*/migrations/versions and nova/objects/service.py.
KNOWN_RELEASES = (
    KnownRelease(
        name="Zed",
        nova="26.3.0",
        api_head=_B30,
        cell_head="ccb0fa1a2252",
        service_version=64,
    ),
    KnownRelease(
        name="2023.1",
        nova="27.2.0",
        api_head=_B30,
        cell_head="960aac0e09ea",
        service_version=66,
    ),
    KnownRelease(
        name="2023.2",
        nova="28.3.0",
        api_head=_CDE,
        cell_head="1acf2c98e646",
        service_version=66,
    ),
    KnownRelease(
        name="2024.1",
        nova="29.4.0",
        api_head=_CDE,
        cell_head="13863f4e1612",
        # 67 in 29.4.0, 66 when it came out.
        service_version=67,
    ),
    KnownRelease(
        name="2024.2",
        nova="30.1.0",
        api_head=_CDE,
        cell_head="13863f4e1612",
        service_version=67,
    ),
    KnownRelease(
        name="2025.1",
        nova="31.3.1",
        api_head=_CDE,
        cell_head="2903cd72dc14",
        service_version=68,
    ),
    KnownRelease(
        name="2025.2",
        nova="32.0.0",
        api_head=_CDE,
        cell_head="2903cd72dc14",
        service_version=70,
    ),
    KnownRelease(
        name="2026.1",
        nova="33.0.2",
        api_head=_CDE,
        cell_head="2903cd72dc14",
        service_version=72,
    ),
    KnownRelease(
        name="2026.2",
        nova="34.0.0",
        api_head=_CDE,
        cell_head="ab450ba04102",
        service_version=74,
    ),
)


def untested_because(seen: SeenRelease) -> str | None:
    """Why this is not a release that is known; None when it is one.

    The schemas decide, because they are what is read and written. All cells must be of one release
    and that of the API database: a cell that is a release behind is an upgrade half done. Services
    may be older than the schemas, as they are in a rolling upgrade, but never newer than any that
    is known.
    """
    heads = set(seen.cell_heads.values())
    if seen.api_head is None or None in heads or not heads:
        return "a schema was never migrated by alembic, so it is older than Zed or not Nova's"
    if len(heads) > 1:
        return "the cells are of different releases"
    (cell_head,) = heads
    if not any((seen.api_head, cell_head) == (r.api_head, r.cell_head) for r in KNOWN_RELEASES):
        return "the schemas are of no known release"
    if seen.service_versions is None:
        return None
    lowest, highest = seen.service_versions
    if lowest < _OLDEST_SERVICE:
        return "a service is older than Yoga"
    if highest > KNOWN_RELEASES[-1].service_version:
        return "a service is newer than any known release"
    return None


def require_known_release(seen: SeenRelease, *, allow_untested: bool) -> str | None:
    """Refuse a release that was never tested, unless that is allowed; then the warning about it.

    :raises RecoveryError: ``untested_release``, with what was seen and what is known.
    """
    why = untested_because(seen)
    if why is None:
        return None
    known = ", ".join(f"{r.name} ({r.api_head}/{r.cell_head})" for r in KNOWN_RELEASES)
    versions = "-".join(str(v) for v in seen.service_versions or ()) or "none"
    cells = ", ".join(f"{label} {head}" for label, head in sorted(seen.cell_heads.items()))
    message = (
        f"this Nova was never tested with this collection: {why}. Seen: API schema {seen.api_head},"
        f" cells {cells or 'none'}, service versions {versions}. Known: {known}"
    )
    if allow_untested:
        return message
    raise RecoveryError(
        "untested_release",
        f"{message}. Use a version of the collection that knows it, or set allow_untested_release"
        " after a trial on a test cloud",
        details={
            "seen": seen.show(),
            "known": [
                {"name": r.name, "api_head": r.api_head, "cell_head": r.cell_head}
                for r in KNOWN_RELEASES
            ],
        },
    )
