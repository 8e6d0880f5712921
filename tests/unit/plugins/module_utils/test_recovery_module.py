# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The wiring that every module shares."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils import (
    recovery_module,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    ApiRefused,
    RecoveryError,
)
from fakes.ansible_module import result_of

SECRETS = ["secret-1", "secret-2", "secret-3", "secret-4", "987654321", "secret-6"]
CLOUD = {
    "auth": {
        "username": "somebody",
        "password": SECRETS[0],
        "application_credential_secret": SECRETS[1],
        "token": SECRETS[2],
    },
    "api_key": SECRETS[3],
    "profiles": [{"password": int(SECRETS[4])}, {"client_secret": [SECRETS[5]]}],
}


def run(
    monkeypatch: pytest.MonkeyPatch, work: Any, *, reads_only: bool = False, **options: Any
) -> tuple[dict[str, Any], list[bool]]:
    modes: list[bool] = []

    def connect(_params: Any, *, read_only: bool) -> str:
        modes.append(read_only)
        return "connection"

    monkeypatch.setattr(recovery_module, "connect", connect)

    def main() -> None:
        module = recovery_module.RecoveryModule({"host": {"type": "str", "required": True}})
        module.run(work, reads_only=reads_only)

    return result_of(main, monkeypatch, **{"host": "compute-1", **options}), modes


def test_the_result_of_the_work_is_returned(monkeypatch: pytest.MonkeyPatch) -> None:
    result, modes = run(monkeypatch, lambda connection: {"changed": True, "seen": connection})
    assert (result["changed"], result["seen"]) == (True, "connection")
    assert "failed" not in result
    assert modes == [False]


@pytest.mark.parametrize(("reads_only", "check_mode"), [(True, False), (False, True), (True, True)])
def test_the_connection_is_read_only(
    monkeypatch: pytest.MonkeyPatch, reads_only: bool, check_mode: bool
) -> None:
    _result, modes = run(monkeypatch, lambda c: {}, reads_only=reads_only, check_mode=check_mode)
    assert modes == [True]


def test_an_error_has_its_code(monkeypatch: pytest.MonkeyPatch) -> None:
    def work(_connection: Any) -> dict[str, Any]:
        raise ApiRefused("forbidden", "not allowed", status=403, request_id="req-1")

    result, _modes = run(monkeypatch, work)
    assert result["failed"]
    assert result["msg"] == "not allowed"
    assert result["error"] == {
        "code": "forbidden",
        "retriable": False,
        "details": {"http_status": 403},
        "request_id": "req-1",
    }


def test_a_failure_keeps_all_that_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    result, _modes = run(
        monkeypatch, lambda c: {"failed": True, "msg": "2 of 3", "changed": True, "instances": [1]}
    )
    assert result["failed"]
    assert result["changed"]
    assert result["instances"] == [1]


def test_without_openstacksdk_the_module_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recovery_module, "OPENSTACKSDK_IMPORT_ERROR", "Traceback ...")
    result, modes = run(monkeypatch, lambda c: {})
    assert "openstacksdk" in result["msg"]
    assert modes == []


@pytest.mark.parametrize("host", ["compute-1", None])
def test_secrets_in_a_cloud_are_neither_returned_nor_logged(
    monkeypatch: pytest.MonkeyPatch, host: str | None
) -> None:
    """Also when the arguments are wrong and nothing is run."""
    logged: list[str] = []

    def work(_connection: Any) -> dict[str, Any]:
        raise RecoveryError("odd", f"the cloud says: {SECRETS[0]}", details={"it": SECRETS})

    options = {"host": host} if host else {"host": None}
    result, _modes = run(monkeypatch, work, cloud=CLOUD, logged=logged, **options)
    assert result["failed"]
    text = json.dumps(result) + "".join(logged)
    for secret in SECRETS:
        assert secret not in text
    assert "somebody" in text


def test_secrets_in_machines_are_neither_returned_nor_logged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    logged: list[str] = []
    machines = {"x": {"redfish": "https://10.0.0.1", "password": SECRETS[0]}, "y": [SECRETS[1]]}

    def main() -> None:
        module = recovery_module.Wiring({"machines": {"type": "dict"}})
        module.finish(lambda: {"diff": {"before": machines}, "said": f"it is {SECRETS[0]}"})

    text = json.dumps(result_of(main, monkeypatch, machines=machines, logged=logged))
    assert SECRETS[0] not in text + "".join(logged)
    assert "https://10.0.0.1" in text


def test_auth_is_not_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    logged: list[str] = []
    result, _modes = run(
        monkeypatch, lambda c: {}, auth={"password": SECRETS[0]}, client_key="k-1", logged=logged
    )
    assert SECRETS[0] not in json.dumps(result) + "".join(logged)
    assert any("Invoked" in line for line in logged)


@pytest.mark.parametrize(
    ("reads_only", "check_mode"), [(False, False), (True, False), (False, True)]
)
def test_a_module_can_connect_when_it_needs_to(
    monkeypatch: pytest.MonkeyPatch, reads_only: bool, check_mode: bool
) -> None:
    modes: list[bool] = []

    def connect(_params: Any, *, read_only: bool) -> None:
        modes.append(read_only)

    monkeypatch.setattr(recovery_module, "connect", connect)

    def main() -> None:
        module = recovery_module.RecoveryModule({})

        def work() -> dict[str, Any]:
            before = len(modes)
            module.connect(reads_only=reads_only)
            return {"before": before}

        module.finish(work)

    result = result_of(main, monkeypatch, check_mode=check_mode)
    assert (result["before"], modes) == (0, [reads_only or check_mode])
