# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Gathering the evidence: once, and the heartbeat twice when that is needed."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters import host_observer
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.host_failure.evidence import (
    Observed,
    ProbeResult,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.host_failure.verdict import (
    Gates,
)
from fakes import values
from fakes.world import World


def observe(
    monkeypatch: pytest.MonkeyPatch, *looks: list[Any], host: str = "compute-1"
) -> tuple[Observed, World]:
    """Looks at the services, one after the other."""
    remaining, world = list(looks), World()

    class Nova:
        def __init__(self, _connection: Any) -> None: ...

        def compute_services(self) -> list[Any]:
            return remaining.pop(0)

        def api_time(self) -> Any:
            return world.api_time()

        def migrations(self, **_query: Any) -> list[Any]:
            return []

    class Plane:
        def __init__(self, _connection: Any) -> None: ...

        def aggregates_of(self, _host: str) -> list[str]:
            return ["a"]

        def answers(self, _services: Any) -> dict[str, str | None]:
            return {"neutron": None}

    monkeypatch.setattr(host_observer, "NovaApi", Nova)
    monkeypatch.setattr(host_observer, "ControlPlane", Plane)
    probe = ProbeResult("tcp", "x", "unreachable")
    connection: Any = None
    seen = host_observer.observe_host(connection, host, [lambda: probe], Gates(), world)
    assert remaining == []
    assert list(seen.probes) == [probe]
    return seen, world


OTHER = values.service("compute-2")


def test_one_look_is_enough_for_a_host_that_is_not_forced_down(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen, world = observe(monkeypatch, [values.service(state="down"), OTHER])
    assert not seen.watched
    assert world.slept == []


def test_a_fresh_heartbeat_of_a_forced_down_host_is_watched(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = values.service(state="down", forced_down=True, updated_at=values.at(-5))
    second = values.service(state="down", forced_down=True, updated_at=values.at(5))
    seen, world = observe(monkeypatch, [first, OTHER], [second, OTHER])
    assert seen.watched
    assert (seen.earlier_update, seen.service.updated_at) == (values.at(-5), values.at(5))
    assert world.slept == [25]


@pytest.mark.parametrize("host", ["compute", "compute-10"])
def test_an_unknown_host_is_an_error(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    with pytest.raises(RecoveryError) as raised:
        observe(monkeypatch, [values.service(), OTHER], host=host)
    assert raised.value.code == "host_not_found"
