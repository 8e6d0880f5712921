# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""nova.conf as Nova reads it, without showing what it holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters import (
    nova_conf as module,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.nova_conf import (
    NovaConf,
    read_nova_conf,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)
from oslo_config import cfg

API = "mysql+pymysql://nova:api-s3cret@db/nova_api"
CELL = "mysql+pymysql://nova:cell%40s3cret@db/nova"
BUS = "rabbit://u1:bus-s3cret@mq1:5672,u2:bus%2Fs3cret@mq2:5672/nova"
WHOLE = f"""
[DEFAULT]
transport_url = {BUS}
[api_database]
connection = {API}
[database]
connection = {CELL}
"""


def write(folder: Path, name: str, text: str) -> str:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def refusal(*paths: str, **options: Any) -> RecoveryError:
    with pytest.raises(RecoveryError) as caught:
        read_nova_conf(list(paths), **options)
    return caught.value


def test_everything_is_read(tmp_path: Path) -> None:
    conf = read_nova_conf([write(tmp_path, "nova.conf", WHOLE)])
    assert (conf.api_database, conf.database, conf.transport_url) == (API, CELL, BUS)


def test_what_is_not_set_is_as_in_nova(tmp_path: Path) -> None:
    conf = read_nova_conf([write(tmp_path, "nova.conf", WHOLE)])
    assert (conf.control_exchange, conf.rpc_response_timeout, conf.long_rpc_timeout) == (
        "nova",
        60,
        1800,
    )


def test_numbers_and_the_exchange_are_read(tmp_path: Path) -> None:
    text = "[DEFAULT]\ncontrol_exchange=other\nrpc_response_timeout=7\nlong_rpc_timeout=8\n"
    conf = read_nova_conf([write(tmp_path, "nova.conf", text)])
    assert (conf.control_exchange, conf.rpc_response_timeout, conf.long_rpc_timeout) == (
        "other",
        7,
        8,
    )


def test_the_last_file_wins_and_folders_count_where_they_stand(tmp_path: Path) -> None:
    def named(value: str) -> str:
        return f"[DEFAULT]\ncontrol_exchange={value}\n"

    first, last = write(tmp_path, "a", named("a")), write(tmp_path, "b", named("b"))
    folder = tmp_path / "conf.d"
    folder.mkdir()
    write(folder, "2.conf", named("second"))
    write(folder, "1.conf", named("first"))
    write(folder, "3.txt", named("not read"))
    found = [
        read_nova_conf(paths).control_exchange
        for paths in ([first, last], [first, str(folder)], [str(folder), first], [last, first])
    ]
    assert found == ["b", "second", "a", "a"]


def test_references_are_followed(tmp_path: Path) -> None:
    text = (
        "[DEFAULT]\nmy_ip=192.0.2.7\ntransport_url=rabbit://u:p$$w@$my_ip/\n"
        "[api_database]\nconnection=mysql://n:p@$my_ip/nova_api\n"
        "[database]\nconnection=$api_database.connection\n"
    )
    conf = read_nova_conf([write(tmp_path, "nova.conf", text)])
    assert conf.transport_url == "rabbit://u:p$w@192.0.2.7/"
    assert conf.database == "mysql://n:p@192.0.2.7/nova_api"


def test_what_is_given_replaces_what_is_read(tmp_path: Path) -> None:
    path = write(tmp_path, "nova.conf", WHOLE)
    conf = read_nova_conf([path], api_database="a://", database="d://", transport_url="t://")
    assert (conf.api_database, conf.database, conf.transport_url) == ("a://", "d://", "t://")


def test_without_files_there_is_what_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OS_DATABASE__CONNECTION", "mysql://elsewhere/n")
    conf = read_nova_conf([], api_database=API)
    assert (conf.api_database, conf.database) == (API, None)
    with pytest.raises(RecoveryError, match="nova_conf \\(which is empty\\)"):
        assert conf.transport_url


@pytest.mark.parametrize(
    ("name", "section", "option", "given"),
    [
        ("api_database", "api_database", "connection", "api_database"),
        ("transport_url", "DEFAULT", "transport_url", "transport_url"),
    ],
)
def test_what_is_missing_is_named(
    tmp_path: Path, name: str, section: str, option: str, given: str
) -> None:
    path = write(tmp_path, "nova.conf", "[api_database]\nconnection =\n")
    with pytest.raises(RecoveryError) as caught:
        getattr(read_nova_conf([path]), name)
    error = caught.value
    assert error.code == "option_missing"
    assert error.details == {"section": section, "option": option, "paths": [path]}
    for word in (f"[{section}]{option}", path, f"give {given}"):
        assert word in error.message


def test_a_file_or_folder_that_is_not_there() -> None:
    error = refusal("/nonexistent/nova.conf", api_database=API)
    assert (error.code, error.details) == ("nova_conf_missing", {"path": "/nonexistent/nova.conf"})


def test_a_refused_look_is_told_as_such(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(_path: Path) -> Any:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)
    error = refusal(str(tmp_path))
    assert (error.code, error.details) == ("nova_conf_unreadable", {"path": str(tmp_path)})


def test_oslo_config_that_may_not_read_is_told_as_such(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refuse(self: Any, *_arguments: Any, **_options: Any) -> None:
        raise cfg.ConfigFilesPermissionDeniedError(["/etc/nova/nova.conf"])

    monkeypatch.setattr(cfg.ConfigOpts, "__call__", refuse)
    error = refusal(write(tmp_path, "nova.conf", ""))
    assert (error.code, error.details["path"]) == ("nova_conf_unreadable", "/etc/nova/nova.conf")


def test_a_file_that_cannot_be_parsed_is_named_but_not_quoted(tmp_path: Path) -> None:
    path = write(tmp_path, "nova.conf", "[database]\ntop-s3cret without an equals sign\n")
    error = refusal(path)
    assert (error.code, error.details) == ("nova_conf_invalid", {"path": path})
    assert "line 2" in error.message
    assert "s3cret" not in f"{error.message}{error.details}"
    assert error.__suppress_context__


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "nova.conf"
    path.write_bytes(b"[DEFAULT]\nhost=\xff\xfe\n")
    assert refusal(str(path)).code == "nova_conf_invalid"


@pytest.mark.parametrize(
    ("text", "option"),
    [
        ("[DEFAULT]\nlong_rpc_timeout=s3cret\n", "[DEFAULT]long_rpc_timeout"),
        ("[database]\nconnection=s3cret$unknown\n", "[database]connection"),
    ],
)
def test_a_value_that_cannot_be_used_is_named_but_not_quoted(
    tmp_path: Path, text: str, option: str
) -> None:
    error = refusal(write(tmp_path, "nova.conf", text))
    assert error.code == "option_invalid"
    assert option in error.message
    assert "s3cret" not in f"{error.message}{error.details}"


def conf_of(tmp_path: Path) -> NovaConf:
    return read_nova_conf([write(tmp_path, "nova.conf", WHOLE)])


def test_nothing_secret_is_shown(tmp_path: Path) -> None:
    shown = f"{conf_of(tmp_path)!r} {conf_of(tmp_path)}"
    assert "s3cret" not in shown
    assert "control_exchange='nova'" in shown


def test_every_password_is_told_to_who_masks_them(tmp_path: Path) -> None:
    assert conf_of(tmp_path).secrets == (
        "api-s3cret",
        "cell%40s3cret",
        "cell@s3cret",
        "bus-s3cret",
        "bus%2Fs3cret",
        "bus/s3cret",
    )


def test_oslo_messaging_can_register_its_own_options(tmp_path: Path) -> None:
    path = write(tmp_path, "nova.conf", f"{WHOLE}\n[oslo_messaging_rabbit]\nssl = true\n")
    oslo = read_nova_conf([path]).oslo
    oslo.register_opts([cfg.BoolOpt("ssl", default=False)], group="oslo_messaging_rabbit")
    oslo.register_opts([cfg.StrOpt("control_exchange", default="openstack", help="theirs")])
    assert oslo.oslo_messaging_rabbit.ssl is True
    assert oslo.control_exchange == "openstack"


def test_oslo_config_was_imported() -> None:
    assert module.OSLO_CONFIG_IMPORT_ERROR is None
