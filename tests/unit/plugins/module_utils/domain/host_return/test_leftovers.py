# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which guests of an evacuated host may be ended, and which never."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.host_return.departed import (
    departed_from,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.host_return.leftovers import (
    Guests,
    sort_guests,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.nova import (
    Instance,
    MigrationRecord,
)
from fakes import values
from fakes.nova import in_progress
from hypothesis import given
from hypothesis import strategies as st

AWAY = values.instance(host="compute-2")


def sort(
    *records: MigrationRecord, instance: Instance | None = AWAY, guests: Any = ("id-web-1",)
) -> Guests:
    known = {instance.id: instance} if instance else {}
    departed = departed_from("compute-1", records, known)
    return sort_guests("compute-1", guests, departed, known, records)


def since(status: str, **fields: Any) -> MigrationRecord:
    """A move after the evacuation."""
    kind = {"migration_type": "live-migration", "created_at": values.at(60)}
    return values.record(2, status, **{**kind, **fields})


BACK = {"source_compute": "compute-2", "dest_compute": "compute-1"}


@pytest.mark.parametrize("status", ["done", "completed"])
@pytest.mark.parametrize("instance", [AWAY, None])
def test_a_guest_of_an_instance_that_has_left(status: str, instance: Instance | None) -> None:
    assert sort(values.record(1, status), instance=instance).leftover == ("id-web-1",)


@pytest.mark.parametrize("status", ["accepted", "pre-migrating"])
@pytest.mark.parametrize("instance", [AWAY, values.instance()])
def test_a_guest_that_is_moving_is_left_alone(status: str, instance: Instance) -> None:
    assert sort(values.record(1, status), instance=instance).leftover == ()


def test_own_guests() -> None:
    assert sort(instance=values.instance()).own == ("id-web-1",)
    for status in ("failed", "error", "done", "completed"):
        assert sort(values.record(1, status), instance=values.instance()).own == ("id-web-1",)


def test_guests_that_nothing_explains() -> None:
    assert sort().unexplained == ("id-web-1",)
    assert sort(instance=None).unexplained == ("id-web-1",)
    assert sort(values.record(1, "failed")).unexplained == ("id-web-1",)
    assert sort(values.record(1, "done", source_compute="compute-10")).unexplained


@pytest.mark.parametrize(
    "move",
    [
        since("running", **BACK),
        since("post-migrating", **BACK),
        # It has failed, perhaps with the guest here already.
        since("error", **BACK),
        since("accepted", **BACK, migration_type="evacuation"),
        since("failed", **BACK, migration_type="evacuation"),
        # It was back, and has left again in a way that it can come back from.
        since("finished", migration_type="resize"),
        since("reverting", migration_type="resize"),
    ],
)
def test_a_guest_of_one_that_may_be_back_is_left_alone(move: MigrationRecord) -> None:
    found = sort(values.record(1, "completed"), move)
    assert (found.leftover, found.unexplained) == ((), ("id-web-1",))


@pytest.mark.parametrize(
    "move",
    [
        # The host died while it was being migrated away: the record stays like that for ever.
        since("running", created_at=values.at(-60)),
        since("running", **BACK, created_at=values.at(-60)),
        since("running", **BACK, instance_id="id-web-2"),
        since("completed"),
    ],
)
def test_other_moves_do_not_keep_a_leftover_guest(move: MigrationRecord) -> None:
    assert sort(values.record(1, "done"), move).leftover == ("id-web-1",)


def test_each_guest_is_told_once_in_order() -> None:
    found = sort(values.record(1, "done"), guests=["id-x", "id-web-1", "id-x", "id-a"])
    assert found.as_dict() == {
        "leftover": ["id-web-1"],
        "own": [],
        "unexplained": ["id-a", "id-x"],
    }


HOSTS = st.sampled_from(["compute-1", "compute-2", "compute-10"])
RECORDS = st.lists(
    st.builds(
        values.record,
        st.integers(1, 50),
        st.sampled_from(
            ["accepted", "pre-migrating", "done", "completed", "failed", "error", "running"]
        ),
        migration_type=st.sampled_from(["evacuation", "evacuation", "live-migration", "resize"]),
        source_compute=HOSTS,
        dest_compute=st.one_of(st.none(), HOSTS),
        created_at=st.builds(values.at, st.integers(0, 50)),
    ),
    max_size=5,
)
INSTANCES = st.one_of(
    st.none(),
    st.builds(
        values.instance,
        host=st.one_of(st.none(), HOSTS),
        vm_state=st.sampled_from(["active", "error", "deleted", "shelved_offloaded"]),
    ),
)


@given(records=RECORDS, instance=INSTANCES)
def test_what_is_never_ended(records: list[MigrationRecord], instance: Instance | None) -> None:
    found = sort(*records, instance=instance)
    assert sorted((*found.leftover, *found.own, *found.unexplained)) == ["id-web-1"]
    if not found.leftover:
        return
    evacuations = [
        r for r in records if r.migration_type == "evacuation" and r.source_compute == "compute-1"
    ]
    assert evacuations
    assert not [r for r in evacuations if in_progress(r)]
    assert instance is None or instance.vm_state == "deleted" or instance.host != "compute-1"
    if instance is not None and instance.vm_state != "deleted":
        assert instance.host
        assert {r.status for r in evacuations} & {"done", "completed"}
    last = max(r.created_at for r in evacuations)
    assert not [r for r in records if r.dest_compute == "compute-1" and r.created_at > last]
