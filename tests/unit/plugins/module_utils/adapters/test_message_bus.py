# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connections to Nova's message bus."""

from __future__ import annotations

import logging
import socket
import ssl
import time
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters import (
    message_bus as module,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)
from fakes.broker import FakeBroker
from oslo_config import cfg

PASSWORD = "se:cret"
ENCODED = "se%3Acret"


@pytest.fixture(name="broker")
def _broker() -> Iterator[FakeBroker]:
    broker = FakeBroker()
    yield broker
    broker.close()


def oslo(text: str = "", tmp_path: Any = None) -> Any:
    conf = cfg.ConfigOpts()
    arguments = []
    if text:
        (tmp_path / "nova.conf").write_text(text)
        arguments = ["--config-file", str(tmp_path / "nova.conf")]
    conf(arguments, default_config_files=[], default_config_dirs=[])
    return conf


def bus(*hosts: str, conf: Any = None, end: str = "/nova", timeout: float = 0.5) -> Any:
    logins = ",".join(f"nova:{ENCODED}@{host}" for host in hosts)
    return module.MessageBus(conf or oslo(), f"rabbit://{logins}{end}", timeout=timeout)


def error_of(message_bus: Any) -> RecoveryError:
    with pytest.raises(RecoveryError) as caught, message_bus.channel():
        pass
    shown = f"{caught.value} {caught.value.as_dict()} {caught.value!r}"
    assert PASSWORD not in shown
    assert ENCODED not in shown
    return caught.value


def dead_host() -> str:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"127.0.0.1:{server.getsockname()[1]}"


def test_a_connection_is_made_with_the_login_and_closed(broker: FakeBroker) -> None:
    with bus(broker.host).channel() as channel:
        assert channel.connection.connected
    assert not channel.connection or not channel.connection.connected
    assert PASSWORD.encode() in broker.logins[0]


def test_every_host_is_tried_until_one_answers(broker: FakeBroker) -> None:
    message_bus = bus(dead_host(), broker.host, dead_host())
    for _turn in range(8):
        with message_bus.channel():
            pass
    assert broker.connections == 8


def test_no_host_answers() -> None:
    error = error_of(bus(dead_host(), dead_host()))
    assert (error.code, error.retriable) == ("message_bus_unavailable", True)


def test_a_host_that_hangs_is_given_up_in_time(broker: FakeBroker) -> None:
    broker.silent = True
    began = time.monotonic()
    assert error_of(bus(broker.host)).code == "message_bus_unavailable"
    assert time.monotonic() - began < 3


def test_the_login_is_refused_even_where_another_host_is_dead(broker: FakeBroker) -> None:
    broker.refuse[10, 11] = (403, "ACCESS_REFUSED - Login was refused.")
    error = error_of(bus(dead_host(), broker.host))
    assert (error.code, error.retriable) == ("message_bus_auth_failed", False)


def test_the_virtual_host_does_not_exist(broker: FakeBroker) -> None:
    broker.refuse[10, 40] = (530, "NOT_ALLOWED - vhost nova not found")
    error = error_of(bus(broker.host))
    assert error.code == "conductor_queue_missing"
    assert error.details["virtual_host"] == "nova"


def test_the_virtual_host_is_another_users(broker: FakeBroker) -> None:
    broker.refuse[10, 40] = (530, "NOT_ALLOWED - access to vhost nova refused for user nova")
    assert error_of(bus(broker.host)).code == "message_bus_auth_failed"


def test_tls_from_the_file_against_a_port_without(broker: FakeBroker, tmp_path: Any) -> None:
    conf = oslo("[oslo_messaging_rabbit]\nssl = true\n", tmp_path)
    assert error_of(bus(broker.host, conf=conf)).code == "message_bus_tls_error"


def test_a_missing_certificate_is_an_error_of_tls(broker: FakeBroker, tmp_path: Any) -> None:
    conf = oslo("[oslo_messaging_rabbit]\nssl = true\nssl_ca_file = /missing/ca.pem\n", tmp_path)
    error = error_of(bus(broker.host, conf=conf))
    assert (error.code, error.retriable) == ("message_bus_tls_error", False)
    assert "(/missing/ca.pem): No such file or directory" in error.message


def test_an_ipv6_address_is_told_in_brackets() -> None:
    assert error_of(bus("[::1]:1")).details["host"] == "[::1]:1"


def test_the_options_of_tls_are_oslo_messagings(tmp_path: Any) -> None:
    text = (
        "[oslo_messaging_rabbit]\nssl = true\nssl_ca_file = /ca\nssl_cert_file = /cert\n"
        "ssl_key_file = /key\nssl_version = TLSv1_2\n"
    )
    assert bus("host", conf=oslo(text, tmp_path))._tls() == {
        "ca_certs": "/ca",
        "certfile": "/cert",
        "keyfile": "/key",
        "cert_reqs": ssl.CERT_REQUIRED,
        "ssl_version": ssl.PROTOCOL_TLSv1_2,
    }
    assert bus("host")._tls() is False
    assert bus("host", end="/nova?ssl=1")._tls() is True
    assert bus("host", end="/nova?ssl=1&ssl_ca_file=/ca")._tls()["ca_certs"] == "/ca"


@pytest.mark.parametrize(
    "url",
    [
        "rabbit://u:pa/ss@host/v",
        "rabbit://u:12/3@host:5672/v",
        "rabbit://u:1#2@host/v",
        "kafka://u:secret@host/v",
        "u:secret@host",
        "rabbit:///v",
    ],
)
def test_a_url_that_cannot_be_used_is_not_shown(url: str) -> None:
    with pytest.raises(RecoveryError) as caught:
        module.MessageBus(oslo(), url)
    assert caught.value.code == "transport_url_invalid"
    for secret in ("pa/ss", "12/3", "1#2", "u:secret"):
        assert secret not in str(caught.value)


def test_an_ipv6_host_without_a_port() -> None:
    message_bus = module.MessageBus(oslo(), "rabbit://u:p@[::1]/v")
    assert message_bus._connection(message_bus._url.hosts[0]).host == "[::1]:5672"


def test_a_second_bus_of_the_same_configuration(broker: FakeBroker) -> None:
    conf = oslo()
    for _turn in range(2):
        with bus(broker.host, conf=conf).channel():
            pass


def test_libraries_write_nothing_to_standard_error(
    broker: FakeBroker, capfd: pytest.CaptureFixture[str]
) -> None:
    logging.getLogger("amqp").warning("x")
    with bus(broker.host).channel():
        pass
    assert capfd.readouterr().err == ""
