# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What counts as done, and as kept."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.nova import (
    SHUTDOWN,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.reshape.shape import (
    Wanted,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.reshape.verification import (
    CHECKS,
    Before,
    verify,
)
from fakes import values
from fakes.reshape_nova import IMAGE, LARGE, NEW_IMAGE, OLD_IMAGE, SMALL, shape

ADDRESS = frozenset({"10.0.0.9"})
BEFORE = Before(
    power="on", addresses={"port-1": ADDRESS}, volume_ids=frozenset(), kept={"name": "web-1"}
)
BOTH = Wanted(image=IMAGE, flavor=LARGE)


def wrong(
    before: Before = BEFORE,
    wanted: Wanted = BOTH,
    port: dict[str, Any] | None = None,
    hosts: frozenset[str] = frozenset({"compute-1"}),
    **fields: Any,
) -> list[str]:
    now = shape(**{"flavor": LARGE, "image_id": NEW_IMAGE, "kept": {"name": "web-1"}, **fields})
    as_it_is = {"binding_host": "compute-1", "fixed_ips": ADDRESS}
    checks = verify(
        before,
        wanted,
        now,
        ports=[values.port(**{**as_it_is, **(port or {})})],
        allocation_hosts=hosts,
        volumes=None,
    )
    assert set(checks) <= set(CHECKS)
    return [name for name, check in checks.items() if not check.passed]


def test_all_is_well() -> None:
    assert wrong() == []


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ("image", {"image_id": OLD_IMAGE}),
        ("flavor", {"flavor": SMALL}),
        # Made anew under its name, with another size.
        ("flavor", {"memory_mb": 256}),
        ("flavor", {"extra_specs": {"hw:cpu_policy": "dedicated"}}),
        ("power_state", {"vm_state": "stopped", "power_state": SHUTDOWN}),
        ("power_state", {"task_state": "powering-off"}),
        ("ports", {"port": {"binding_host": "compute-2"}}),
        ("addresses", {"port": {"fixed_ips": frozenset({"10.0.0.10"})}}),
        ("volumes", {"volume_ids": frozenset({"new"})}),
        ("allocation", {"hosts": frozenset({"compute-1", "compute-2"})}),
        ("allocation", {"hosts": frozenset()}),
        ("kept", {"kept": {"name": "web-1", "key_name": "another"}}),
        ("kept", {"kept": {"name": "other"}}),
    ],
)
def test_what_is_wrong(name: str, seen: dict[str, Any]) -> None:
    assert wrong(**seen) == [name]


def test_one_that_was_off_is_off() -> None:
    off = replace(BEFORE, power="off")
    assert wrong(off) == ["power_state"]
    stopped = {"vm_state": "stopped", "power_state": SHUTDOWN}
    assert wrong(off, port={"status": "DOWN"}, **stopped) == []


def test_only_what_was_asked_for_is_compared() -> None:
    assert wrong(wanted=Wanted(image=IMAGE), flavor=SMALL) == []
    assert wrong(wanted=Wanted(flavor=LARGE), image_id=OLD_IMAGE) == []
