# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which release of Nova this is, and whether it was tested."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.release import (
    KNOWN_RELEASES,
    SeenRelease,
    require_known_release,
    untested_because,
)

API, CELL = "cdeec0c85668", "2903cd72dc14"


def seen(**changes: Any) -> SeenRelease:
    known = {
        "api_head": API,
        "cell_heads": {"cell0": CELL, "cell1": CELL},
        "service_versions": (72, 72),
    }
    return SeenRelease(**{**known, **changes})


@pytest.mark.parametrize("release", KNOWN_RELEASES, ids=lambda release: release.name)
def test_every_known_release_is_let_through(release: Any) -> None:
    now = SeenRelease(
        api_head=release.api_head,
        cell_heads={"cell0": release.cell_head, "cell1": release.cell_head},
        service_versions=(release.service_version, release.service_version),
    )
    assert require_known_release(now, allow_untested=False) is None


@pytest.mark.parametrize(
    "versions", [(61, 72), (72, 74), None], ids=["an old compute", "rolling", "no service"]
)
def test_services_of_a_rolling_upgrade_are_no_obstacle(versions: Any) -> None:
    assert untested_because(seen(service_versions=versions)) is None


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"api_head": "aaaaaaaaaaaa"}, "no known release"),
        ({"cell_heads": {"cell0": "aaaaaaaaaaaa"}}, "no known release"),
        # Both are known, but of different releases: an upgrade half done.
        ({"api_head": "b30f573d3377"}, "no known release"),
        ({"cell_heads": {"cell0": CELL, "cell1": "13863f4e1612"}}, "different releases"),
        ({"api_head": None}, "never migrated"),
        ({"cell_heads": {"cell0": CELL, "cell1": None}}, "never migrated"),
        ({"cell_heads": {}}, "never migrated"),
        ({"service_versions": (60, 72)}, "older than Yoga"),
        ({"service_versions": (72, 75)}, "newer than any"),
    ],
)
def test_anything_else_is_refused(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(RecoveryError, match=why) as caught:
        require_known_release(seen(**changes), allow_untested=False)
    assert caught.value.code == "untested_release"
    assert not caught.value.retriable
    assert "allow_untested_release" in caught.value.message
    assert why in (require_known_release(seen(**changes), allow_untested=True) or "")


def test_a_refusal_names_what_was_seen_and_what_is_known() -> None:
    now = seen(api_head="aaaaaaaaaaaa", service_versions=(70, 72))
    with pytest.raises(RecoveryError) as caught:
        require_known_release(now, allow_untested=False)
    for word in ("aaaaaaaaaaaa", f"cell1 {CELL}", "70-72", "2026.2 (cdeec0c85668/ab450ba04102)"):
        assert word in caught.value.message
    assert caught.value.details["seen"] == {
        "api_head": "aaaaaaaaaaaa",
        "cell_heads": {"cell0": CELL, "cell1": CELL},
        "service_versions": [70, 72],
    }
    assert {"name": "Zed", "api_head": "b30f573d3377", "cell_head": "ccb0fa1a2252"} in (
        caught.value.details["known"]
    )
