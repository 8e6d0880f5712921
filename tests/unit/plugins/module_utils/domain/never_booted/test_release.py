# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which release of Nova this is, and whether it was tested."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted import (
    release as release_module,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.release import (
    KNOWN_RELEASES,
    SeenRelease,
    require_tested_release,
    untested_because,
)

# Schemas of 2025.1, 2025.2 and 2026.1; of 2024.1 and 2024.2; of 2026.2.
API, CELL = "cdeec0c85668", "2903cd72dc14"
CELL_2024, CELL_2026_2 = "13863f4e1612", "ab450ba04102"


def seen(cell: str = CELL, **changes: Any) -> SeenRelease:
    known = {
        "api_head": API,
        "cell_heads": {"cell0": cell, "cell1": cell},
        "service_versions": (72, 72),
    }
    return SeenRelease(**{**known, **changes})


def only_tested(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """The rules have to hold whatever was tested."""
    changed = tuple(dataclasses.replace(r, tested=r.name in names) for r in KNOWN_RELEASES)
    monkeypatch.setattr(release_module, "KNOWN_RELEASES", changed)


def test_what_was_run_on_the_lab() -> None:
    """As docs/never-booted.md says; a release is added here when the scenarios have run on it."""
    assert [r.name for r in KNOWN_RELEASES if r.tested] == ["Zed", "2026.1"]


@pytest.mark.parametrize("release", KNOWN_RELEASES, ids=lambda release: release.name)
@pytest.mark.parametrize("tested", [True, False])
def test_a_release_passes_once_it_was_tested(
    monkeypatch: pytest.MonkeyPatch, release: Any, tested: bool
) -> None:
    only_tested(monkeypatch, *([release.name] if tested else []))
    for version in release.service_versions:
        now = seen(
            release.cell_head, api_head=release.api_head, service_versions=(version, version)
        )
        if tested:
            assert require_tested_release(now, allow_untested=False) is None
            continue
        with pytest.raises(RecoveryError, match="is known, but the collection was never run on it"):
            require_tested_release(now, allow_untested=False)
        assert release.name in (require_tested_release(now, allow_untested=True) or "")


@pytest.mark.parametrize(
    ("cell", "versions", "tested", "name"),
    [
        # The same schemas: the newest service tells which it is.
        (CELL, (70, 70), "2025.1 2026.1", "2025.2"),
        (CELL, (68, 70), "2025.1 2026.1", "2025.2"),
        # Upgraded schemas, old services: both are at work.
        (CELL_2026_2, (72, 72), "2026.1", "2026.2"),
        (CELL_2026_2, (70, 70), "2026.2", "2025.2"),
        (CELL, None, "2026.2", "2025.1 or 2025.2 or 2026.1"),
    ],
)
def test_what_was_not_tested_is_named(
    monkeypatch: pytest.MonkeyPatch, cell: str, versions: Any, tested: str, name: str
) -> None:
    only_tested(monkeypatch, *tested.split())
    why = untested_because(seen(cell, service_versions=versions))
    assert why == f"{name} is known, but the collection was never run on it"


@pytest.mark.parametrize(
    ("cell", "versions", "tested"),
    [
        (CELL, (61, 72), "2026.1"),
        (CELL, (68, 72), "2026.1"),
        (CELL, None, "2026.1"),
        (CELL_2026_2, (70, 72), "2026.1 2026.2"),
        # Nothing tells these two apart.
        (CELL_2024, (67, 67), "2024.1"),
        (CELL_2024, (67, 67), "2024.2"),
    ],
)
def test_services_of_a_rolling_upgrade_are_no_obstacle(
    monkeypatch: pytest.MonkeyPatch, cell: str, versions: Any, tested: str
) -> None:
    only_tested(monkeypatch, *tested.split())
    assert untested_because(seen(cell, service_versions=versions)) is None


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"api_head": "aaaaaaaaaaaa"}, "no known release"),
        ({"cell_heads": {"cell0": "aaaaaaaaaaaa"}}, "no known release"),
        # Both are known, but of different releases: an upgrade half done.
        ({"api_head": "b30f573d3377"}, "no known release"),
        ({"cell_heads": {"cell0": CELL, "cell1": CELL_2024}}, "different releases"),
        ({"api_head": None}, "never migrated"),
        ({"cell_heads": {"cell0": CELL, "cell1": None}}, "never migrated"),
        ({"cell_heads": {}}, "never migrated"),
        ({"service_versions": (60, 72)}, "older than Yoga"),
        ({"service_versions": (72, 75)}, "newest service is of no known release"),
        ({"service_versions": (61, 61)}, "newest service is of no known release"),
        ({"service_versions": (72, 74)}, "newer than the schemas"),
    ],
)
def test_anything_else_is_refused(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], why: str
) -> None:
    only_tested(monkeypatch, *(release.name for release in KNOWN_RELEASES))
    with pytest.raises(RecoveryError, match=why) as caught:
        require_tested_release(seen(**changes), allow_untested=False)
    assert caught.value.code == "untested_release"
    assert not caught.value.retriable
    assert "allow_untested_release" in caught.value.message
    assert why in (require_tested_release(seen(**changes), allow_untested=True) or "")


def test_a_refusal_names_what_was_seen_and_what_is_tested() -> None:
    now = seen(api_head="aaaaaaaaaaaa", service_versions=(70, 72))
    with pytest.raises(RecoveryError) as caught:
        require_tested_release(now, allow_untested=False)
    tested = f"2026.1 ({API}/{CELL}, services 72)"
    for word in ("aaaaaaaaaaaa", f"cell1 {CELL}", "70-72", tested):
        assert word in caught.value.message
    assert caught.value.details["seen"] == {
        "api_head": "aaaaaaaaaaaa",
        "cell_heads": {"cell0": CELL, "cell1": CELL},
        "service_versions": [70, 72],
    }
    assert {
        "name": "2025.2",
        "api_head": API,
        "cell_head": CELL,
        "service_versions": [70],
        "tested": False,
    } in caught.value.details["known"]
