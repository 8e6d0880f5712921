# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A connection to Nova's message bus, by oslo.messaging's options and URL, and amqp for the wire.

oslo.messaging itself, and kombu below it, reconnect and publish again by themselves: kombu's
``autoretry`` repeats a call once after a recoverable channel error even with no retries, the
heartbeat's thread reconnects, and an answer is waited for as long as a heartbeat, a minute by
default. So oslo.messaging is used for its options and its URL only; amqp does nothing twice.
"""

from __future__ import annotations

import logging
import random
import ssl
import traceback
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from ..domain.errors import RecoveryError

MESSAGING_IMPORT_ERROR: str | None = None
try:
    with warnings.catch_warnings():
        # Libraries warn of their own affairs, and nobody but Ansible reads our standard error.
        warnings.simplefilter("ignore")
        import amqp
        from oslo_messaging import TransportURL
        from oslo_messaging import opts as oslo_messaging_opts
except ImportError:
    MESSAGING_IMPORT_ERROR = traceback.format_exc()

# Without a handler of its own, a library's warnings go to standard error.
for _name in ("amqp", "kombu", "oslo_config", "oslo_messaging"):
    logging.getLogger(_name).addHandler(logging.NullHandler())

_GROUP = "oslo_messaging_rabbit"
_PORT = 5672
_TLS_VERSIONS = {
    "tlsv1": "PROTOCOL_TLSv1",
    "tlsv1_1": "PROTOCOL_TLSv1_1",
    "tlsv1_2": "PROTOCOL_TLSv1_2",
    "sslv23": "PROTOCOL_TLS",
}
# Which host's error is told when none works: the more it says about what to correct, the later.
_TELLING = (
    "message_bus_unavailable",
    "message_bus_tls_error",
    "conductor_queue_missing",
    "message_bus_auth_failed",
)


class MessageBus:
    """Nova's RabbitMQ.

    :param oslo: the ConfigOpts of nova.conf; options of oslo.messaging are registered in it.
    :param transport_url: like ``[DEFAULT]transport_url``; several hosts are tried in random order.
    :param timeout: seconds that each answer may take, and the connecting to each host.
    :raises RecoveryError: ``transport_url_invalid``.
    """

    def __init__(self, oslo: Any, transport_url: str, *, timeout: float = 5.0) -> None:
        self._oslo = oslo
        self._timeout = timeout
        for group, options in oslo_messaging_opts.list_opts():
            if group == _GROUP:
                oslo.register_opts(options, group=group)
        try:
            self._url = TransportURL.parse(oslo, transport_url)
        except Exception:  # noqa: BLE001 - of several kinds, and what they say quotes the URL
            raise _invalid("it cannot be parsed") from None
        if self._url.transport not in ("rabbit", "amqp", "kombu"):
            raise _invalid(f"{self._url.transport} is not RabbitMQ, the only one that is supported")
        if "@" in (self._url.virtual_host or "") or "#" in transport_url:
            raise _invalid("a password with / # or ? must be percent-encoded")
        if not self._url.hosts:
            raise _invalid("it names no host")

    @property
    def virtual_host(self) -> str:
        return self._url.virtual_host or "/"

    @contextmanager
    def channel(self) -> Iterator[Any]:
        """An amqp Channel of a new connection, which is closed afterwards.

        :raises RecoveryError: ``message_bus_unavailable``, ``message_bus_auth_failed``,
            ``message_bus_tls_error``, ``conductor_queue_missing`` when there is no such vhost.
        """
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            connection, channel = self._connect()
            try:
                yield channel
                # Only after success: a broker that hangs would not answer this either.
                with suppress(Exception):
                    connection.close()
            finally:
                with suppress(Exception):
                    connection.collect()

    def _connect(self) -> tuple[Any, Any]:
        errors = []
        for host in random.sample(self._url.hosts, len(self._url.hosts)):
            connection = None
            try:
                connection = self._connection(host)
                connection.connect()
                # Its own time-outs do not cover every answer.
                connection.sock.settimeout(self._timeout)
                return connection, connection.channel()
            except Exception as error:  # noqa: BLE001 - amqp raises many; the next host is tried
                errors.append(self._connect_error(_place(host), error))
                if connection is not None:
                    with suppress(Exception):
                        connection.collect()
        raise max(errors, key=lambda error: _TELLING.index(error.code))

    def _connection(self, host: Any) -> Any:
        return amqp.Connection(
            host=_place(host),
            userid=host.username or "guest",
            password=host.password or "guest",
            login_method=self._option("rabbit_login_method"),
            virtual_host=self.virtual_host,
            ssl=self._tls(),
            connect_timeout=self._timeout,
            read_timeout=self._timeout,
            write_timeout=self._timeout,
            confirm_publish=True,
            client_properties={"connection_name": "openstack_recovery.nova"},
        )

    def _option(self, name: str) -> Any:
        """One of [oslo_messaging_rabbit], or of the URL's query, which goes before it."""
        stated = self._url.query.get(name)
        if stated is None:
            return self._oslo[_GROUP][name]
        if name == "ssl":
            return stated.lower() in ("1", "true", "yes", "on", "t", "y")
        return stated

    def _tls(self) -> Mapping[str, Any] | bool:
        """As oslo.messaging makes it of the same options."""
        if not self._option("ssl"):
            return False
        parameters: dict[str, Any] = {}
        version = self._option("ssl_version")
        if version:
            parameters["ssl_version"] = getattr(ssl, _TLS_VERSIONS.get(version.lower(), ""), None)
        for parameter, option in (
            ("keyfile", "ssl_key_file"),
            ("certfile", "ssl_cert_file"),
            ("ca_certs", "ssl_ca_file"),
        ):
            if self._option(option):
                parameters[parameter] = self._option(option)
        if "ca_certs" in parameters:
            parameters["cert_reqs"] = ssl.CERT_REQUIRED
        return parameters or True

    def _connect_error(self, host: str, error: Exception) -> RecoveryError:
        said = str(error).rstrip(".") or type(error).__name__
        if isinstance(error, amqp.NotAllowed) and "not found" in said:
            return RecoveryError(
                "conductor_queue_missing",
                f"the message bus {host} has no virtual host {self.virtual_host}: check the end of"
                " transport_url",
                details={"host": host, "virtual_host": self.virtual_host},
            )
        if isinstance(error, (amqp.AccessRefused, amqp.NotAllowed)):
            return RecoveryError(
                "message_bus_auth_failed",
                f"the message bus {host} refuses the login of transport_url: {said}. Check its user"
                f" and password, and the user's permissions on the virtual host {self.virtual_host}",
                details={"host": host, "virtual_host": self.virtual_host},
            )
        # A certificate's or a key's file that is missing is no matter of the network.
        if isinstance(error, (FileNotFoundError, PermissionError)):
            files = (self._option(f"ssl_{kind}_file") for kind in ("ca", "cert", "key"))
            return RecoveryError(
                "message_bus_tls_error",
                f"the TLS files of [{_GROUP}] cannot be used ({', '.join(filter(None, files))}):"
                f" {error.strerror}. They must be on the machine that this runs on, and readable",
                details={"host": host},
            )
        if isinstance(error, ssl.SSLError):
            return RecoveryError(
                "message_bus_tls_error",
                f"the TLS connection to the message bus {host} failed: {said}. Check ssl,"
                f" ssl_ca_file, ssl_cert_file and ssl_key_file of [{_GROUP}], and the port",
                details={"host": host},
            )
        return RecoveryError(
            "message_bus_unavailable",
            f"the message bus {host} does not answer: {said}. Check that RabbitMQ runs, the host and"
            f" port of transport_url, and whether it wants TLS (ssl of [{_GROUP}])",
            retriable=True,
            details={"host": host},
        )


def _place(host: Any) -> str:
    name = f"[{host.hostname}]" if ":" in host.hostname else host.hostname
    return f"{name}:{host.port or _PORT}"


def _invalid(why: str) -> RecoveryError:
    return RecoveryError(
        "transport_url_invalid",
        f"transport_url is not one that can be used: {why}. It looks like"
        " rabbit://USER:PASSWORD@HOST:PORT/VHOST, and is [DEFAULT]transport_url of a controller's"
        " nova.conf",
    )
