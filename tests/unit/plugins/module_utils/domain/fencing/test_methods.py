# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a caller states is looked through before anything is tried."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.fencing.methods import (
    fencing_problems,
)

MACHINES = {
    "node1.a": {"redfish": "https://10.0.0.1", "ipmi": "10.0.0.1"},
    "node1.b": {"redfish": "https://10.0.0.2", "password": "secret-2"},
}


def problems(methods: Any, host: str = "node1.a", **stated: Any) -> list[str]:
    return fencing_problems(
        methods,
        host,
        **{
            "machines": MACHINES,
            "username": "fencing",
            "password": "secret-1",
            "libvirt_uri": "qemu+tls://node1.a/system",
            "on_unreachable_bmc": "fail",
            **stated,
        },
    )


@pytest.mark.parametrize(
    ("methods", "policy"),
    [
        (["none"], "fail"),
        (["redfish"], "fail"),
        (["ipmi", "redfish"], "fail"),
        (["tasks"], "fail"),
        (["libvirt", "redfish"], "fail"),
        (["redfish", "ipmi", "libvirt", "tasks"], "proceed_if_libvirt_terminated"),
        (["redfish", "libvirt"], "proceed"),
    ],
)
def test_what_can_be_tried(methods: list[str], policy: str) -> None:
    assert problems(methods, on_unreachable_bmc=policy) == []


@pytest.mark.parametrize(
    ("methods", "stated", "words"),
    [
        ([], {}, "no method"),
        ("redfish,libvirt", {}, "must be a list"),
        (["redfish"], {"machines": "{}"}, "a dictionary"),
        (["stonith"], {}, "unknown method stonith"),
        (["redfish", ["ipmi"]], {}, "unknown method"),
        (["none", "redfish"], {}, "only stand alone"),
        (["redfish", "redfish"], {}, "twice"),
        (["redfish"], {"host": "node1"}, "Similar: node1.a, node1.b"),
        (["ipmi"], {"host": "node1.b"}, "no 'ipmi' address"),
        (["redfish"], {"username": ""}, "no username and password"),
        (["libvirt"], {"libvirt_uri": ""}, "needs the URI"),
        (["redfish", "libvirt"], {}, "counts only with"),
        (["tasks", "redfish", "libvirt"], {}, "counts only with"),
        (["redfish"], {"on_unreachable_bmc": "go"}, "is one of fail"),
        (["redfish"], {"on_unreachable_bmc": "proceed_if_libvirt_terminated"}, "needs the method"),
        (
            ["redfish"],
            {"machines": {"node1.a": {"redfish": "https://a"}, "x": {"redfish": "https://a"}}},
            "one machine for two hosts",
        ),
    ],
)
def test_what_cannot(methods: Any, stated: dict[str, Any], words: str) -> None:
    found = problems(methods, **stated)
    assert len(found) == 1, found
    assert words in found[0]
    assert "secret" not in found[0]


def test_the_map_is_not_needed_without_a_bmc() -> None:
    assert problems(["libvirt", "tasks"], machines={}, host="nowhere") == []
