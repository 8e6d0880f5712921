# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the services that an evacuation needs answer."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.control_plane import (
    ControlPlane,
)
from fakes import values
from openstack import exceptions as sdk

UP = [
    values.service("controller-1", binary="nova-scheduler"),
    values.service("controller-1", binary="nova-conductor"),
]


def control_plane(silent: str = "", **compute: Any) -> ControlPlane:
    def read(proxy: str, _path: str) -> Any:
        if proxy == silent:
            raise sdk.SDKException("no answer")
        return {}

    connection: Any = SimpleNamespace(
        sdk=SimpleNamespace(
            network="network",
            image="image",
            compute=SimpleNamespace(**compute),
        ),
        placement="placement",
        read=read,
    )
    return ControlPlane(connection)


def test_all_answer() -> None:
    found = control_plane().answers(UP)
    assert set(found) == {"nova-scheduler", "nova-conductor", "neutron", "placement", "glance"}
    assert set(found.values()) == {None}


def test_one_that_does_not_answer_is_told() -> None:
    found = control_plane("placement").answers(UP)
    assert "no answer" in (found.pop("placement") or "")
    assert set(found.values()) == {None}


def test_one_scheduler_that_is_up_is_enough_and_none_is_not() -> None:
    down = values.service("controller-2", binary="nova-scheduler", state="down")
    assert control_plane().answers([*UP, down])["nova-scheduler"] is None
    assert control_plane().answers([UP[1], down])["nova-scheduler"] == "none is up"
    assert control_plane().answers([])["nova-conductor"] == "none is up"


def test_the_aggregates_of_exactly_this_host() -> None:
    found = [
        SimpleNamespace(name="a", hosts=["compute-1", "compute-2"]),
        SimpleNamespace(name="b", hosts=["compute-10"]),
        SimpleNamespace(name="c", hosts=None),
    ]
    assert control_plane(aggregates=lambda: found).aggregates_of("compute-1") == ["a"]
