# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What departed instances hold on the host that they have left, and when it can go."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.host_return.cloud import (
    ConsumerAllocations,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.host_return.departed import (
    Departed,
    departed_from,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.host_return.source_allocations import (
    candidates,
    source_allocation,
    without_host,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.nova import (
    Instance,
    MigrationRecord,
)
from fakes import values
from hypothesis import given
from hypothesis import strategies as st

AWAY = values.instance(host="compute-2")
# A host with two compute nodes, one of which has a nested provider.
PROVIDERS = frozenset({"rp-1", "rp-1-numa", "rp-1-other-node"})
SMALL = {"resources": {"VCPU": 1, "MEMORY_MB": 512}, "generation": 3}
PART = {"resources": {"PCPU": 2}, "generation": 4}


def held(**by_provider: Any) -> ConsumerAllocations:
    return ConsumerAllocations(
        consumer="id-web-1",
        by_provider={name.replace("_", "-"): value for name, value in by_provider.items()},
        generation=5,
        project_id="p",
        user_id="u",
    )


def departed(status: str = "done", instance: Instance | None = AWAY) -> Departed:
    known = {instance.id: instance} if instance else {}
    (found,) = departed_from("compute-1", [values.record(1, status)], known)
    return found


def kept(
    *moves: MigrationRecord,
    has: ConsumerAllocations | None = None,
    of: Departed | None = None,
) -> str | None:
    has = has or held(rp_1=SMALL, rp_2=SMALL)
    found = source_allocation(of or departed(), has, PROVIDERS, moves)
    assert found is not None
    return found.kept_because


def test_those_that_have_left_and_still_hold_something() -> None:
    assert candidates([departed()], {"id-web-1", "id-web-2"}) == [departed()]
    assert candidates([departed("completed")], {"id-web-1"})
    assert candidates([departed(instance=None)], {"id-web-1"})
    assert candidates([departed()], {"id-web-2"}) == []


@pytest.mark.parametrize(
    "one",
    [
        departed("accepted"),
        departed("pre-migrating", values.instance()),
        departed("failed", values.instance()),
        departed("completed", values.instance()),
        departed("done", values.instance()),
        departed("failed"),
    ],
)
def test_those_that_have_not_left_keep_what_they_have(one: Departed) -> None:
    assert candidates([one], {"id-web-1"}) == []
    assert one.fate in (kept(of=one) or "")


def test_all_of_the_hosts_providers_count() -> None:
    has = held(rp_1=SMALL, rp_1_numa=PART, rp_1_other_node=PART, rp_2=SMALL)
    found = source_allocation(departed(), has, PROVIDERS, [])
    assert found is not None
    assert found.as_dict() == {
        "id": "id-web-1",
        "resources": {
            "rp-1": {"VCPU": 1, "MEMORY_MB": 512},
            "rp-1-numa": {"PCPU": 2},
            "rp-1-other-node": {"PCPU": 2},
        },
        "kept_because": None,
    }


def test_nothing_on_the_host() -> None:
    assert source_allocation(departed(), held(rp_2=SMALL), PROVIDERS, []) is None
    assert source_allocation(departed(), held(), PROVIDERS, []) is None


def test_one_that_holds_nothing_where_it_is_keeps_what_it_has() -> None:
    for has in (held(rp_1=SMALL), held(rp_1=SMALL, rp_1_numa=PART)):
        # Without --force it leaves one that has any.
        assert "heal_allocations --force --instance id-web-1" in (kept(has=has) or "")
        assert "compute-2" in (kept(has=has) or "")
        # A deleted one needs nothing anywhere.
        assert kept(has=has, of=departed(instance=None)) is None
    assert kept(has=held(rp_1=SMALL, rp_2_numa=PART)) is None


@pytest.mark.parametrize(
    ("kind", "status", "expected"),
    [
        ("live-migration", "queued", "its live-migration record 9 is queued"),
        ("live-migration", "completed", None),
        ("resize", "finished", "its resize record 9 is finished"),
        ("resize", "confirmed", None),
        ("migration", "reverting", "its migration record 9 is reverting"),
        # From where it is now; it can come to this host.
        ("evacuation", "accepted", "its evacuation record 9 is accepted"),
        ("evacuation", "done", None),
    ],
)
def test_one_that_is_being_moved_keeps_what_it_has(
    kind: str, status: str, expected: str | None
) -> None:
    move = values.record(9, status, migration_type=kind, source_compute="compute-2")
    assert kept(move) == expected


def test_moves_of_others_and_from_before_do_not_matter() -> None:
    live = {"migration_type": "live-migration"}
    assert kept(values.record(9, "running", instance_id="id-web-2", **live)) is None
    # The host died in the middle of it.
    assert kept(values.record(9, "running", created_at=values.at(-1), **live)) is None


HOLDINGS = st.dictionaries(
    st.sampled_from([*sorted(PROVIDERS), "rp-2", "rp-2-numa", "rp-shared"]),
    st.fixed_dictionaries(
        {
            "resources": st.dictionaries(
                st.sampled_from(["VCPU", "MEMORY_MB", "DISK_GB"]), st.integers(1, 9), min_size=1
            )
        }
    ),
)


@given(by_provider=HOLDINGS)
def test_what_is_held_elsewhere_stays_as_it_is(by_provider: Any) -> None:
    has = ConsumerAllocations(
        consumer="id-web-1", by_provider=by_provider, generation=5, project_id="p", user_id="u"
    )
    rest = without_host(has, PROVIDERS)
    removed = source_allocation(departed(), has, PROVIDERS, [])
    gone = removed.resources if removed else {}
    assert not set(rest.by_provider) & PROVIDERS
    assert set(gone) <= PROVIDERS
    # Nothing is in both, nothing is lost.
    assert {**{p: {"resources": r} for p, r in gone.items()}, **rest.by_provider} == by_provider
    assert (rest.consumer, rest.generation, rest.project_id, rest.user_id) == (
        "id-web-1",
        5,
        "p",
        "u",
    )
    if removed and not rest.by_provider:
        assert removed.kept_because
