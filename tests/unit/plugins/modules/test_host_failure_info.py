# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module host_failure_info."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils import (
    recovery_module,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters import probes
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.host_failure.evidence import (
    Observed,
    ProbeResult,
)
from ansible_collections.openstack_recovery.nova.plugins.modules import (
    host_failure_info as module,
)
from fakes import values
from fakes.ansible_module import result_of


@pytest.fixture(name="asked")
def _asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    asked: dict[str, Any] = {}

    def observe(_connection: Any, host: str, given: Any, gates: Any, *_others: Any) -> Observed:
        asked.update(gates=gates)
        run = "openstack_recovery run=r1: host failed"
        own = values.service(
            host, state="down", status="disabled", disabled_reason=run, updated_at=values.at(-900)
        )
        return Observed(
            host=host,
            at=values.at(0),
            service=own,
            services=[own, values.service("compute-2")],
            records=[],
            aggregates=["repair"],
            answers={"neutron": None},
            probes=[probe() for probe in given],
        )

    monkeypatch.setattr(recovery_module, "connect", lambda params, read_only: None)
    monkeypatch.setattr(module, "observe_host", observe)
    for kind in ("tcp", "icmp", "libvirt"):
        monkeypatch.setattr(
            probes,
            kind,
            lambda *where, kind=kind: ProbeResult(kind, f"{where}", "unreachable"),
        )
    return asked


def test_a_host_that_has_failed(asked: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    result = result_of(
        module.main,
        monkeypatch,
        host="compute-1",
        require_unreachable=["tcp", "icmp", "libvirt"],
        probe_tcp=[{"address": "::1", "port": 22}],
        probe_icmp=["192.0.2.1"],
        probe_libvirt=["qemu+tls://compute-1/system"],
    )
    assert result["verdict"] == "failed"
    assert result["stopped_by"] == []
    assert result["recovery_run_id"] == "r1"
    assert result["changed"] is False
    assert {piece["name"] for piece in result["evidence"]} >= {"heartbeat", "probe_tcp"}


def test_gates_come_from_the_options(asked: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    result = result_of(
        module.main,
        monkeypatch,
        host="compute-1",
        max_down_hosts=0,
        max_down_share=0.1,
        maintenance_aggregates=["repair"],
        heartbeat_timeout=99,
    )
    assert result["verdict"] == "unclear"
    assert result["stopped_by"] == ["max_down_hosts", "max_down_share", "maintenance"]
    assert asked["gates"].heartbeat_timeout == 99


@pytest.mark.parametrize(
    "wrong", [{"max_down_share": 20}, {"probe_timeout": 0}, {"heartbeat_watch": 0}]
)
def test_options_that_would_open_a_gate_are_refused(
    asked: Any, monkeypatch: pytest.MonkeyPatch, wrong: dict[str, Any]
) -> None:
    result = result_of(module.main, monkeypatch, host="compute-1", **wrong)
    assert result["error"]["code"] == "invalid_options"
    assert asked == {}
