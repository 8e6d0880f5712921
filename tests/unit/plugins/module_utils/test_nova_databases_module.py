# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The wiring of the modules that use Nova's databases."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils import basic
from ansible_collections.openstack_recovery.nova.plugins.module_utils import (
    nova_databases_module as module,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters import (
    message_bus,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.conductor import (
    RabbitConductor,
    ReadOnlyConductor,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.release import (
    SeenRelease,
)
from fakes.ansible_module import result_of

SECRETS = ["api-s3cret", "cell@s3cret", "cell%40s3cret", "bus-s3cret", "mapped/s3cret"]
CONF = f"""
[DEFAULT]
transport_url = rabbit://nova:{SECRETS[3]}@mq/nova
[api_database]
connection = mysql://nova:{SECRETS[0]}@db/nova_api
[database]
connection = mysql://nova:{SECRETS[2]}@db/nova
"""
KNOWN = SeenRelease(
    api_head="cdeec0c85668", cell_heads={"cell0": "2903cd72dc14"}, service_versions=(72, 72)
)
UNKNOWN = SeenRelease(api_head="aaa", cell_heads={"cell0": "bbb"}, service_versions=None)


class Databases:
    """Stands for NovaDatabases."""

    made: list[dict[str, Any]]
    closed = 0
    release = KNOWN
    # Found in cell_mappings.
    password = ""

    def __init__(self, api_url: str, local_url: str | None, **options: Any) -> None:
        Databases.made.append({"api_url": api_url, "local_url": local_url, **options})
        if self.password:
            options["hide"](self.password)

    def seen_release(self) -> SeenRelease:
        return self.release

    def close(self) -> None:
        Databases.closed += 1


@pytest.fixture(name="conf")
def _conf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    Databases.made, Databases.closed = [], 0
    monkeypatch.setattr(module, "NovaDatabases", Databases)
    for name in ("OS_CLOUD", "OS_AUTH_URL"):
        monkeypatch.delenv(name, raising=False)
    path = tmp_path / "nova.conf"
    path.write_text(CONF)
    return str(path)


def run(
    monkeypatch: pytest.MonkeyPatch,
    work: Any,
    *,
    reads_only: bool = False,
    with_cloud: bool = False,
    **options: Any,
) -> dict[str, Any]:
    def main() -> None:
        made = module.NovaDatabasesModule({"host": {"type": "str"}}, cloud=with_cloud)
        made.run(work, reads_only=reads_only)

    return result_of(main, monkeypatch, **options)


def test_the_result_of_the_work_is_returned(monkeypatch: pytest.MonkeyPatch, conf: str) -> None:
    def work(connections: Any) -> dict[str, Any]:
        first = connections.databases
        return {"changed": first is connections.databases}

    assert run(monkeypatch, work, nova_conf=[conf])["changed"] is True
    (made,) = Databases.made
    assert made["journal_schema"] == "nova_recovery"
    assert made["read_only"] is False
    assert (made["api_url"], made["local_url"]) == (
        "mysql://nova:api-s3cret@db/nova_api",
        "mysql://nova:cell%40s3cret@db/nova",
    )
    assert Databases.closed == 1


@pytest.mark.parametrize(("reads_only", "check_mode"), [(True, False), (False, True)])
def test_what_must_not_change_anything_cannot(
    monkeypatch: pytest.MonkeyPatch, conf: str, reads_only: bool, check_mode: bool
) -> None:
    modes: list[bool] = []
    monkeypatch.setattr(module, "connect", lambda params, read_only: modes.append(read_only))

    def work(connections: Any) -> dict[str, Any]:
        assert connections.databases is not None
        assert connections.cloud is None
        return {"kind": type(connections.conductor).__name__}

    result = run(
        monkeypatch,
        work,
        reads_only=reads_only,
        check_mode=check_mode,
        with_cloud=True,
        nova_conf=[conf],
    )
    assert result["kind"] == ReadOnlyConductor.__name__
    assert (Databases.made[0]["read_only"], modes) == (True, [True])


def test_the_conductor_can_be_called(monkeypatch: pytest.MonkeyPatch, conf: str) -> None:
    def work(connections: Any) -> dict[str, Any]:
        return {"same": type(connections.conductor).__name__ == RabbitConductor.__name__}

    assert run(monkeypatch, work, nova_conf=[conf])["same"] is True


def test_options_replace_the_file(monkeypatch: pytest.MonkeyPatch, conf: str) -> None:
    def work(connections: Any) -> dict[str, Any]:
        return {"hosts": [connections.conf.api_database.partition("@")[2]]}

    result = run(
        monkeypatch, work, nova_conf=[conf], api_database="mysql://n:other-s3cret@elsewhere/x"
    )
    assert result["hosts"] == ["elsewhere/x"]


@pytest.mark.parametrize("allow", [True, False])
def test_a_release_that_was_never_tested(
    monkeypatch: pytest.MonkeyPatch, conf: str, allow: bool
) -> None:
    monkeypatch.setattr(Databases, "release", UNKNOWN)
    warnings: list[str] = []
    # Ansible shows each warning of a process once.
    monkeypatch.setattr(basic.AnsibleModule, "warn", lambda _self, text: warnings.append(text))
    result = run(
        monkeypatch,
        lambda connections: {"seen": connections.databases is not None},
        nova_conf=[conf],
        allow_untested_release=allow,
    )
    if allow:
        assert "never tested" in "".join(warnings)
        assert result["seen"] is True
    else:
        assert result["error"]["code"] == "untested_release"


def test_every_password_is_masked_wherever_it_shows(
    monkeypatch: pytest.MonkeyPatch, conf: str
) -> None:
    """Those of nova.conf, of an option and of cell_mappings; as they are and as in a URL."""

    monkeypatch.setattr(Databases, "password", SECRETS[4])
    given = "given s3cret"

    def work(connections: Any) -> dict[str, Any]:
        assert connections.databases is not None
        shown = [*SECRETS, "mapped%2Fs3cret", given]
        raise RecoveryError("odd", " and ".join(shown), details={"it": shown})

    logged: list[str] = []
    result = run(
        monkeypatch,
        work,
        nova_conf=[conf],
        transport_url=f"rabbit://nova:{given}@mq/nova",
        api_database=f"mysql://nova:{SECRETS[0]}@db/nova_api",
        logged=logged,
    )
    assert result["error"]["code"] == "odd"
    text = json.dumps(result) + "".join(logged)
    # What was replaced is never read, so it need not be hidden.
    assert [secret for secret in SECRETS if secret in text] == [SECRETS[3]]
    assert "mapped%2Fs3cret" not in text
    assert given not in text


def test_an_error_of_the_file_has_its_code(monkeypatch: pytest.MonkeyPatch) -> None:
    result = run(monkeypatch, lambda connections: {}, nova_conf=["/nonexistent/nova.conf"])
    assert result["error"]["code"] == "nova_conf_missing"


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ({"with_cloud": True, "cloud": "c"}, True),
        ({"with_cloud": True, "OS_CLOUD": "c"}, True),
        ({"with_cloud": True}, False),
        ({"OS_CLOUD": "c"}, False),
    ],
)
def test_whether_a_cloud_is_named(
    monkeypatch: pytest.MonkeyPatch, conf: str, case: dict[str, Any], expected: bool
) -> None:
    if "OS_CLOUD" in case:
        monkeypatch.setenv("OS_CLOUD", case["OS_CLOUD"])
    options = {name: value for name, value in case.items() if name != "OS_CLOUD"}
    result = run(monkeypatch, lambda c: {"named": c.has_cloud}, nova_conf=[conf], **options)
    assert result["named"] is expected


@pytest.mark.parametrize(
    ("constant", "library"),
    [("PYMYSQL_IMPORT_ERROR", "PyMySQL"), ("OSLO_CONFIG_IMPORT_ERROR", "oslo.config")],
)
def test_a_library_that_is_missing_is_named(
    monkeypatch: pytest.MonkeyPatch, conf: str, constant: str, library: str
) -> None:
    monkeypatch.setattr(module, constant, "Traceback ...")
    assert library in run(monkeypatch, lambda connections: {}, nova_conf=[conf])["msg"]


@pytest.mark.parametrize(
    ("constant", "library", "use"),
    [
        ("MESSAGING_IMPORT_ERROR", "oslo.messaging", lambda c: c.conductor),
        ("OPENSTACKSDK_IMPORT_ERROR", "openstacksdk", lambda c: c.cloud),
    ],
)
def test_a_library_is_needed_only_by_what_uses_it(
    monkeypatch: pytest.MonkeyPatch, conf: str, constant: str, library: str, use: Any
) -> None:
    where = message_bus if hasattr(message_bus, constant) else module
    monkeypatch.setattr(where, constant, "Traceback ...")
    assert "msg" not in run(monkeypatch, lambda connections: {}, nova_conf=[conf])
    result = run(monkeypatch, lambda c: {"it": use(c)}, with_cloud=True, nova_conf=[conf])
    assert library in result["msg"]
