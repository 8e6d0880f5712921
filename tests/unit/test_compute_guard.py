# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The program that the role compute_guard installs.

It stands alone on a compute host, so it repeats what the domain knows; here the two are compared.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import jinja2
import openstack
import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters import (
    aggregate_lock,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain import (
    records,
    run_lock,
)

HOST = "compute-1.example.com"
TEMPLATE = (
    Path(records.__file__ or "").parents[3]
    / "roles"
    / "compute_guard"
    / "templates"
    / "await_evacuations.py.j2"
)


def guard() -> ModuleType:
    """The program as the role would write it."""
    environment = jinja2.Environment(keep_trailing_newline=True, autoescape=False)  # noqa: S701
    environment.filters["to_json"] = json.dumps
    text = environment.from_string(TEMPLATE.read_text()).render(
        compute_guard_python="/usr/bin/python3",
        compute_guard_host=HOST,
        compute_guard_cloud="guard",
        compute_guard_clouds_file="/etc/openstack/clouds.yaml",
        compute_guard_poll_interval=5,
    )
    made = ModuleType("guard")
    exec(compile(text, str(TEMPLATE), "exec"), made.__dict__)  # noqa: S102
    return made


class Cloud:
    """What Nova answers.

    :param clock: seconds by which Nova's clock is ahead of this machine's; None: it does not tell.
    """

    def __init__(
        self,
        *statuses: str,
        hosts: tuple[str, ...] = (HOST,),
        lock: dict[str, Any] | None = None,
        clock: float | None = 0,
        status: int = 200,
    ) -> None:
        self.statuses = statuses
        self.hosts = hosts
        self.lock = lock
        self.clock = clock
        self.status = status
        self.compute = self

    def __enter__(self) -> Cloud:
        return self

    def __exit__(self, *_error: object) -> None:
        return None

    def get(self, path: str, microversion: str) -> Any:
        assert microversion == "2.59"
        now = datetime.now(UTC) + timedelta(seconds=self.clock or 0)
        aggregates = [{"name": "racks", "metadata": {}, "created_at": "2026-01-01T00:00:00"}]
        if self.lock is not None:
            aggregates.append({"name": f"{aggregate_lock.NAME_PREFIX}{HOST}", **self.lock})
        answers = {
            "/os-services?binary=nova-compute": {"services": [{"host": h} for h in self.hosts]},
            "/os-aggregates": {"aggregates": aggregates},
        }
        return SimpleNamespace(
            status_code=self.status,
            headers={} if self.clock is None else {"Date": format_datetime(now, usegmt=True)},
            json=lambda: answers[path],
            reason="no",
            url=path,
            text="",
            content=b"",
        )

    def migrations(self, **query: str) -> list[Any]:
        assert query == {"source_compute": HOST, "migration_type": "evacuation"}
        return [SimpleNamespace(server_id="vm", status=status) for status in self.statuses]


@pytest.fixture
def why(monkeypatch: pytest.MonkeyPatch) -> Any:
    def ask(cloud: Cloud) -> str:
        monkeypatch.setattr(openstack, "connect", lambda **_options: cloud)
        found: str = guard().why_not_yet()
        return found

    return ask


def renewed(seconds_ago: float) -> dict[str, Any]:
    at = datetime.now(UTC) - timedelta(seconds=seconds_ago)
    metadata = {"run_id": "run-1", "renewed_at": at.isoformat(timespec="seconds")}
    return {"metadata": metadata, "created_at": "2026-01-01T00:00:00"}


def test_it_knows_what_the_domain_knows() -> None:
    made = guard()
    assert made.ENDED == records.SUCCEEDED | records.FAILED
    assert f"{aggregate_lock.NAME_PREFIX}{HOST}".lower() == made.LOCK
    assert run_lock.LEASE_SECONDS < made.LOCK_SECONDS


def test_nothing_is_in_the_way(why: Any) -> None:
    assert why(Cloud("done", "completed", "failed", "error")) == ""


@pytest.mark.parametrize("status", ["accepted", "pre-migrating", "a word of a later release"])
def test_an_evacuation_that_goes_on_is_waited_for(why: Any, status: str) -> None:
    assert "in progress: vm" in why(Cloud("done", status))


def test_a_run_that_is_at_work_is_waited_for_also_between_two_instances(why: Any) -> None:
    assert "run-1 is at work" in why(Cloud("done", lock=renewed(30)))
    assert why(Cloud("done", lock=renewed(90))) == ""


def test_novas_clock_counts_and_not_this_machines(why: Any) -> None:
    # Renewed a moment ago by Nova's clock, an hour in the future by ours, and the other way round.
    assert why(Cloud(lock=renewed(-3600), clock=3600))
    assert why(Cloud(lock=renewed(3600), clock=-3600))
    assert why(Cloud(lock=renewed(3600), clock=0)) == ""


def test_a_cloud_that_does_not_tell_the_time(why: Any) -> None:
    assert why(Cloud(lock=renewed(5), clock=None))
    assert why(Cloud(lock=renewed(90), clock=None)) == ""


def test_a_lock_that_was_never_renewed_is_as_old_as_it_is(why: Any) -> None:
    fresh = {"metadata": {}, "created_at": datetime.now(UTC).replace(tzinfo=None).isoformat()}
    assert why(Cloud(lock=fresh))
    assert why(Cloud(lock={"metadata": {}, "created_at": "2026-01-01T00:00:00"})) == ""


def test_a_name_that_nova_has_otherwise_keeps_it_shut(why: Any) -> None:
    assert "correct compute_guard_host" in why(Cloud(hosts=("compute-1", "compute-2")))
    # A host that Nova does not know yet may start.
    assert why(Cloud(hosts=("compute-10.example.com",))) == ""


def test_an_answer_that_is_none_is_no_leave(why: Any) -> None:
    with pytest.raises(openstack.exceptions.HttpException):
        why(Cloud(status=403))


def test_it_waits_while_nova_does_not_answer(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = guard()
    answers = iter([OSError("no route"), OSError("no route"), ""])
    slept: list[float] = []

    def why_not_yet() -> str:
        answer = next(answers)
        if isinstance(answer, OSError):
            raise answer
        return answer

    monkeypatch.setattr(made, "why_not_yet", why_not_yet)
    monkeypatch.setattr(made.time, "sleep", slept.append)
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", "")
    made.main()
    assert slept == [5, 5]
    # Said once, not at every look.
    assert capsys.readouterr().out.count("Nova cannot be asked: no route") == 1
