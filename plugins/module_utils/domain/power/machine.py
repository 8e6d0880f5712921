# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which machine a host is: the caller's map from full host names to BMCs."""

from __future__ import annotations

import difflib
import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import RecoveryError

REDFISH = "redfish"
IPMI = "ipmi"
PROTOCOLS = (REDFISH, IPMI)
_PORTS = {REDFISH: 443, IPMI: 623}
_HIGHEST_PORT = 65535
_HOST = r"(?P<host>\[[^\[\]@/\s]+\]|[^\[\]:@/?#\s]+)(?::(?P<port>[0-9]{1,5}))?"
# No login in the address, where it would show in messages; and none over http, where all can read it.
_ADDRESSES = {REDFISH: re.compile(f"(?i:https)://{_HOST}/?"), IPMI: re.compile(_HOST)}
_SHOULD_BE = {
    REDFISH: "a redfish address that is not like https://HOST or https://HOST:PORT",
    IPMI: "an ipmi address that is not like HOST or HOST:PORT",
}
_FLAG = "validate_certs"
_TEXTS = (
    *PROTOCOLS,
    "system",
    "username",
    "password",
    "ca_file",
    "serial_number",
    "host_name",
)


@dataclass(frozen=True, slots=True)
class Defaults:
    """What holds for every machine that does not say otherwise."""

    username: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_file: str | None = None
    validate_certs: bool = True


@dataclass(frozen=True, slots=True)
class Machine:
    """One host's BMC, over one protocol.

    :param address: host name or IP address of the BMC, without brackets.
    :param system: id or path of the Redfish system; None where the BMC has only one.
    :param serial_number: what the BMC must say; None is not compared. So is ``host_name``.
    """

    host: str
    protocol: str
    address: str
    port: int
    system: str | None
    username: str
    password: str = field(repr=False)
    ca_file: str | None
    validate_certs: bool
    serial_number: str | None
    host_name: str | None

    @property
    def shown_address(self) -> str:
        """The address with its port, as people write it."""
        address = f"[{self.address}]" if ":" in self.address else self.address
        return f"{address}:{self.port}"


def find_machine(
    host: str, machines: Mapping[str, Any], protocol: str | None, defaults: Defaults
) -> Machine:
    """The machine of a host, after the whole map was looked through.

    :param host: full host name, compared exactly: two hosts may have one short name.
    :param machines: by full host name, the options of each machine.
    :param protocol: one of PROTOCOLS; None for the only one that the machine has.
    :raises RecoveryError: ``host_not_in_map``, ``duplicate_machine`` or ``invalid_options``.
    """
    for name, options in machines.items():
        _require_valid(name, options)
    if host not in machines:
        raise _not_in_map(host, list(machines))
    _require_different(machines)
    options = machines[host]
    protocol = protocol or _only_protocol(host, options)
    if not options.get(protocol):
        raise _invalid(host, f"has no '{protocol}' address")
    if protocol == IPMI and options.get("host_name"):
        raise _invalid(host, "has a host_name, which cannot be asked for over IPMI: leave it out")
    username = options.get("username") or defaults.username
    password = options.get("password") or defaults.password
    if not username or not password:
        raise _invalid(host, "has no username and password, and there are none for all machines")
    address, port = _address(host, protocol, options[protocol])
    validate = options.get(_FLAG)
    return Machine(
        host=host,
        protocol=protocol,
        address=address,
        port=port,
        system=options.get("system"),
        username=username,
        password=password,
        ca_file=options.get("ca_file") or defaults.ca_file,
        validate_certs=defaults.validate_certs if validate is None else validate,
        serial_number=options.get("serial_number"),
        host_name=options.get("host_name"),
    )


def _not_in_map(host: str, names: list[str]) -> RecoveryError:
    alike = {name for name in names if _short(name) == _short(host)}
    similar = sorted(alike | set(difflib.get_close_matches(host, names, n=5)))
    return RecoveryError(
        "host_not_in_map",
        f"machines has no '{host}': names are compared whole, as Nova shows them"
        + (f". Similar: {', '.join(similar)}" if similar else ""),
        details={"host": host, "similar": similar},
    )


def _short(name: str) -> str:
    return name.split(".", maxsplit=1)[0].casefold()


def _only_protocol(host: str, options: Mapping[str, Any]) -> str:
    found = [protocol for protocol in PROTOCOLS if options.get(protocol)]
    if len(found) != 1:
        raise _invalid(
            host, f"needs one of {' and '.join(PROTOCOLS)}, or say which with 'protocol'"
        )
    return found[0]


def _require_valid(host: str, options: Any) -> None:
    """A word that nobody knows is an error: a misspelt serial number would never be compared."""
    if not isinstance(options, Mapping):
        raise _invalid(host, "must be a dictionary")
    if unknown := sorted(set(options) - {*_TEXTS, _FLAG}):
        known = ", ".join((*_TEXTS, _FLAG))
        raise _invalid(host, f"has unknown options: {', '.join(unknown)}. Known are {known}")
    for name in _TEXTS:
        value = options.get(name)
        if value is not None and (not isinstance(value, str) or not value.strip()):
            # Never the value: it may be a password.
            raise _invalid(host, f"has a {name} that is no text, or empty; numbers need quotes")
    if not isinstance(options.get(_FLAG), bool | None):
        raise _invalid(host, f"has a {_FLAG} that is neither true nor false")


def _require_different(machines: Mapping[str, Mapping[str, Any]]) -> None:
    """Two hosts with one machine: switching one off would switch off the other."""
    keys: tuple[Callable[[str, Mapping[str, Any]], Any], ...] = (
        _redfish_key,
        lambda name, options: _address_key(name, IPMI, options),
        lambda _name, options: options.get("serial_number"),
    )
    for key in keys:
        seen: dict[Any, str] = {}
        for name, options in machines.items():
            found = key(name, options)
            if found is None:
                continue
            if found in seen:
                raise _duplicate(seen[found], name)
            seen[found] = name
    _require_named_systems(machines)


def _redfish_key(name: str, options: Mapping[str, Any]) -> Any:
    where = _address_key(name, REDFISH, options)
    # A path and its last part name the same system.
    system = (options.get("system") or "").rstrip("/").rsplit("/", 1)[-1]
    return where and (where, system)


def _require_named_systems(machines: Mapping[str, Mapping[str, Any]]) -> None:
    """One BMC for several hosts is only possible where each names its system."""
    unnamed: dict[Any, str] = {}
    for name, options in machines.items():
        where = _address_key(name, REDFISH, options)
        if where is not None and not options.get("system"):
            unnamed[where] = name
    for name, options in machines.items():
        other = unnamed.get(_address_key(name, REDFISH, options), name)
        if other != name:
            raise _duplicate(other, name)


def _address_key(name: str, protocol: str, options: Mapping[str, Any]) -> Any:
    value = options.get(protocol)
    return _address(name, protocol, value) if value else None


def _address(host: str, protocol: str, value: str) -> tuple[str, int]:
    """Host and port, so that two ways to write one address are equal."""
    text = f"[{value}]" if protocol == IPMI and _is_ip(value) and ":" in value else value
    match = _ADDRESSES[protocol].fullmatch(text)
    port = int(match["port"] or _PORTS[protocol]) if match else 0
    if match is None or not 0 < port <= _HIGHEST_PORT:
        raise _invalid(host, f"has {_SHOULD_BE[protocol]}")
    name = match["host"].strip("[]").lower()
    address = str(ipaddress.ip_address(name)) if _is_ip(name) else name.rstrip(".")
    return address, port


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _duplicate(one: str, other: str) -> RecoveryError:
    return RecoveryError(
        "duplicate_machine",
        f"machines has one machine for two hosts, {one} and {other}: the same BMC (and system), or"
        " the same serial number. Nothing was sent",
        details={"hosts": sorted((one, other))},
    )


def _invalid(host: str, what: str) -> RecoveryError:
    return RecoveryError("invalid_options", f"machines: {host} {what}", details={"host": host})
