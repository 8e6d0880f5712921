# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writing requests into RequestSpecs."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.network_change import (
    NetworkChange,
    plan_absent,
    plan_present,
    write_changes,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.network_vocabulary import (
    parse_networks,
)
from fakes.neutron import NET_A, OTHER, PORT_1, FakeNeutron, network, port
from fakes.request_specs import CELL1, FakeSpecDatabases, spec_row


@pytest.fixture(name="databases")
def _databases() -> FakeSpecDatabases:
    databases = FakeSpecDatabases()
    databases.buried("u")
    return databases


def present(
    databases: FakeSpecDatabases, *uuids: str, networks: Any = "none", **options: Any
) -> list[NetworkChange]:
    wanted = None if networks is None else parse_networks(networks)
    cloud = options.pop("cloud", None) or FakeNeutron(network(), port())
    return plan_present(databases, cloud, uuids, wanted, **options)


def refused(databases: FakeSpecDatabases, *uuids: str, **options: Any) -> RecoveryError:
    with pytest.raises(RecoveryError) as caught:
        present(databases, *uuids, **options)
    return caught.value


def test_it_is_stored_and_then_nothing_is_left_to_do(databases: FakeSpecDatabases) -> None:
    before = json.loads(databases.specs["u"].spec)
    [change] = present(databases, "u", networks=[{"network": "a", "tag": "t"}])
    assert databases.transactions == 0
    assert change.shown() == {
        "uuid": "u",
        "requested_networks": [{"network": NET_A, "tag": "t"}],
        "source": "given",
        "changed": True,
    }
    assert change.diff() == {
        "before_header": "u",
        "after_header": "u",
        "before": {"requested_networks": None},
        "after": {"requested_networks": [{"network": NET_A, "tag": "t"}]},
    }
    write_changes(databases, [change])
    assert (databases.transactions, databases.locks, databases.writes) == (1, 1, ["u"])
    after = json.loads(databases.specs["u"].spec)
    assert after["nova_object.data"].pop("requested_networks")
    assert after == before
    [again] = present(databases, "u", networks=[{"net-id": NET_A, "tag": "t"}])
    assert not again.changes
    write_changes(databases, [again])
    assert databases.transactions == 1


def test_it_is_taken_out_again(databases: FakeSpecDatabases) -> None:
    before = json.loads(databases.specs["u"].spec)
    [nothing] = plan_absent(databases, ["u"])
    assert not nothing.changes
    write_changes(databases, present(databases, "u"))
    [change] = plan_absent(databases, ["u"])
    assert change.changes
    assert change.shown()["requested_networks"] is None
    write_changes(databases, [change])
    assert json.loads(databases.specs["u"].spec) == before


def test_a_spec_that_changed_meanwhile_is_not_overwritten(databases: FakeSpecDatabases) -> None:
    databases.buried("v")
    changes = present(databases, "u", "v")
    theirs = spec_row("v", num_instances=3)
    databases.before_lock = lambda: databases.specs.update(v=theirs)
    before = databases.specs["u"]
    with pytest.raises(RecoveryError) as caught:
        write_changes(databases, changes)
    assert caught.value.code == "request_spec_changed"
    assert caught.value.retriable
    assert caught.value.details == {"instances": ["v"]}
    assert databases.writes == []
    assert databases.specs["u"] == before


def test_a_spec_that_is_gone_meanwhile(databases: FakeSpecDatabases) -> None:
    changes = present(databases, "u")
    databases.before_lock = databases.specs.clear
    with pytest.raises(RecoveryError) as caught:
        write_changes(databases, changes)
    assert caught.value.code == "request_spec_changed"


def test_a_write_that_finds_another_spec_undoes_the_others(
    databases: FakeSpecDatabases, monkeypatch: pytest.MonkeyPatch
) -> None:
    databases.buried("v")
    changes = present(databases, "u", "v")
    before = dict(databases.specs)
    write = FakeSpecDatabases.replace_request_spec
    monkeypatch.setattr(
        FakeSpecDatabases,
        "replace_request_spec",
        lambda self, row, spec: row.instance_uuid == "u" and write(self, row, spec),
    )
    with pytest.raises(RecoveryError) as caught:
        write_changes(databases, changes)
    assert caught.value.code == "request_spec_changed"
    assert databases.specs == before


def test_every_kind_of_never_booted_instance(databases: FakeSpecDatabases) -> None:
    databases.buried("died", cell_id=CELL1)
    databases.left_behind("left")
    changes = present(databases, "left", "u", "died", "u")
    assert [change.row.instance_uuid for change in changes] == ["left", "u", "died"]
    write_changes(databases, changes)
    assert databases.writes == ["left", "u", "died"]


def test_instances_that_are_refused(databases: FakeSpecDatabases) -> None:
    databases.buried("booted", cell_id=CELL1, launched_at=datetime(2026, 1, 1))  # noqa: DTZ001 - as in the database
    databases.left_behind("gone")
    del databases.requests["gone"]
    databases.buried("rowless")
    databases.rows[1].pop("rowless")
    databases.buried("specless")
    del databases.specs["specless"]
    for uuid, code in (
        ("booted", "has_booted"),
        ("gone", "deleted"),
        ("rowless", "rows_missing"),
        ("specless", "request_spec_missing"),
        ("unknown", "instance_not_found"),
    ):
        assert refused(databases, "u", uuid).code == code
        assert databases.transactions == 0
        with pytest.raises(RecoveryError) as caught:
            plan_absent(databases, [uuid])
        assert caught.value.code == code
    error = refused(databases, "booted", "unknown", "u")
    assert error.code == "network_request_refused"
    assert set(error.details["problems"]) == {"booted", "unknown"}


def test_the_problems_of_all_instances_are_told_at_once(databases: FakeSpecDatabases) -> None:
    databases.buried("v")
    databases.buried("w", requested_networks=None)
    cloud = FakeNeutron(network(project_id=OTHER), port("x", device_id="v", qos=True))
    error = refused(databases, "u", "v", "w", networks=None, sources=["ports"], cloud=cloud)
    assert error.code == "network_request_refused"
    assert not error.retriable
    assert {u: [p["code"] for p in each] for u, each in error.details["problems"].items()} == {
        "u": ["networks_unknown"],
        "v": ["port_qos"],
        "w": ["networks_unknown"],
    }
    assert databases.transactions == 0
    assert all(f"instance {uuid}: " in error.message for uuid in ("u", "v", "w"))


def test_one_port_cannot_be_for_two_instances(databases: FakeSpecDatabases) -> None:
    databases.buried("v")
    error = refused(databases, "u", "v", networks=[{"port": PORT_1}])
    assert set(error.details["problems"]) == {"u", "v"}


def test_a_stored_request_that_cannot_be_met_any_more_is_told(
    databases: FakeSpecDatabases,
) -> None:
    write_changes(databases, present(databases, "u", networks=[{"port": "one"}]))
    error = refused(databases, "u", networks=None, sources=["ports"], cloud=FakeNeutron())
    assert [p["code"] for p in error.details["problems"]["u"]] == ["port_gone"]


def test_options_are_looked_at_before_the_databases() -> None:
    with pytest.raises(RecoveryError) as caught:
        plan_present(None, FakeNeutron(), ["u"], None)
    assert caught.value.code == "invalid_options"


def test_names_and_what_is_wrong_with_the_others_come_together(
    databases: FakeSpecDatabases,
) -> None:
    entries = [{"network": "b"}, {"network": "a", "fixed_ip": "10.9.9.9"}]
    error = refused(databases, "u", "unknown", networks=entries)
    assert error.code == "network_request_refused"
    assert {u: [p["code"] for p in each] for u, each in error.details["problems"].items()} == {
        "u": ["network_gone", "address_outside_subnets"],
        "unknown": ["instance_not_found"],
    }


def test_a_list_of_which_nothing_is_found_is_not_taken_for_an_empty_one(
    databases: FakeSpecDatabases,
) -> None:
    cloud = FakeNeutron(network(), network("other"))
    error = refused(databases, "u", networks=[{"network": "b"}], cloud=cloud)
    assert [p["code"] for p in error.details["problems"]["u"]] == ["network_gone"]
    ambiguous = refused(databases, "u", networks=[], cloud=cloud)
    assert [p["code"] for p in ambiguous.details["problems"]["u"]] == ["network_ambiguous"]
