# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which release of Nova this is, by what its databases say, and whether it was tested."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import RecoveryError


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownRelease:
    """A release by the newest migration of each schema and the version of its services.

    :param nova: the version of Nova that all this was read from.
    :param service_versions: more than one where a point release has another.
    :param tested: whether this collection was run on it, on the lab, from burial to verified build.
    """

    name: str
    nova: str
    api_head: str
    cell_head: str
    service_versions: tuple[int, ...]
    tested: bool

    def show(self) -> dict[str, Any]:
        """For details: plain values."""
        return {
            "name": self.name,
            "api_head": self.api_head,
            "cell_head": self.cell_head,
            "service_versions": list(self.service_versions),
            "tested": self.tested,
        }


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
        service_versions=(64,),
        tested=True,
    ),
    KnownRelease(
        name="2023.1",
        nova="27.2.0",
        api_head=_B30,
        cell_head="960aac0e09ea",
        service_versions=(66,),
        tested=False,
    ),
    KnownRelease(
        name="2023.2",
        nova="28.3.0",
        api_head=_CDE,
        cell_head="1acf2c98e646",
        service_versions=(66,),
        tested=False,
    ),
    KnownRelease(
        name="2024.1",
        nova="29.4.0",
        api_head=_CDE,
        cell_head="13863f4e1612",
        # 66 when it came out.
        service_versions=(66, 67),
        tested=False,
    ),
    KnownRelease(
        name="2024.2",
        nova="30.1.0",
        api_head=_CDE,
        cell_head="13863f4e1612",
        service_versions=(67,),
        tested=False,
    ),
    KnownRelease(
        name="2025.1",
        nova="31.3.1",
        api_head=_CDE,
        cell_head="2903cd72dc14",
        service_versions=(68,),
        tested=False,
    ),
    KnownRelease(
        name="2025.2",
        nova="32.0.0",
        api_head=_CDE,
        cell_head="2903cd72dc14",
        service_versions=(70,),
        tested=False,
    ),
    KnownRelease(
        name="2026.1",
        nova="33.0.2",
        api_head=_CDE,
        cell_head="2903cd72dc14",
        service_versions=(72,),
        tested=True,
    ),
    KnownRelease(
        name="2026.2",
        nova="34.0.0",
        api_head=_CDE,
        cell_head="ab450ba04102",
        service_versions=(74,),
        tested=False,
    ),
)


def untested_because(seen: SeenRelease) -> str | None:
    """Why this collection was not tested on this; None when it was.

    The schemas are what is read and written, and the newest service tells which Nova is at work on
    them: its controllers are upgraded first. So several releases can have the same schemas, and in a
    rolling upgrade the services may be older than the schemas, which come before them; then both
    releases must be tested ones. All cells must be of one release and that of the API database: a cell
    that is a release behind is an upgrade half done. Releases that nothing tells apart pass together.
    """
    heads = set(seen.cell_heads.values())
    if seen.api_head is None or None in heads or not heads:
        return "a schema was never migrated by alembic, so it is older than Zed or not Nova's"
    if len(heads) > 1:
        return "the cells are of different releases"
    (cell_head,) = heads
    schemas = [r for r in KNOWN_RELEASES if (seen.api_head, cell_head) == (r.api_head, r.cell_head)]
    if not schemas:
        return "the schemas are of no known release"
    if seen.service_versions is None:
        return _never_run(schemas)
    lowest, highest = seen.service_versions
    if lowest < _OLDEST_SERVICE:
        return "a service is older than Yoga"
    services = [r for r in KNOWN_RELEASES if highest in r.service_versions]
    if not services:
        return "the newest service is of no known release"
    both = [release for release in schemas if release in services]
    if both:
        return _never_run(both)
    if highest > max(schemas[-1].service_versions):
        return "a service is newer than the schemas"
    return _never_run(schemas) or _never_run(services)


def _never_run(releases: Sequence[KnownRelease]) -> str | None:
    if any(release.tested for release in releases):
        return None
    names = " or ".join(release.name for release in releases)
    return f"{names} is known, but the collection was never run on it"


def require_tested_release(seen: SeenRelease, *, allow_untested: bool) -> str | None:
    """Refuse a release that was never tested, unless that is allowed; then the warning about it.

    :raises RecoveryError: ``untested_release``, with what was seen and what is tested.
    """
    why = untested_because(seen)
    if why is None:
        return None
    tested = ", ".join(_described(release) for release in KNOWN_RELEASES if release.tested)
    versions = "-".join(str(v) for v in seen.service_versions or ()) or "none"
    cells = ", ".join(f"{label} {head}" for label, head in sorted(seen.cell_heads.items()))
    message = (
        f"this Nova was never tested with this collection: {why}. Seen: API schema {seen.api_head},"
        f" cells {cells or 'none'}, service versions {versions}. Tested: {tested}"
    )
    if allow_untested:
        return message
    raise RecoveryError(
        "untested_release",
        f"{message}. Use a version of the collection that was tested on it, or set"
        " allow_untested_release after a trial on a test cloud",
        details={
            "seen": seen.show(),
            "known": [release.show() for release in KNOWN_RELEASES],
        },
    )


def _described(release: KnownRelease) -> str:
    versions = "/".join(str(version) for version in release.service_versions)
    return f"{release.name} ({release.api_head}/{release.cell_head}, services {versions})"
