# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The operator's words for networks, read strictly: what is not understood is an error."""

from __future__ import annotations

import ipaddress
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from ..errors import RecoveryError
from .network_request import AUTO, NONE

# Each word, what it means, and whether it is an id, a name or either. openstack.cloud.server's
# words for nics mean the same here, and so does the compute API's uuid.
_WORDS = {
    "network": ("network", "any"),
    "net-id": ("network", "id"),
    "net-name": ("network", "name"),
    "uuid": ("network", "id"),
    "port": ("port", "any"),
    "port-id": ("port", "id"),
    "port-name": ("port", "name"),
    "fixed_ip": ("fixed_ip", "address"),
    "v4-fixed-ip": ("fixed_ip", "IPv4 address"),
    "v6-fixed-ip": ("fixed_ip", "IPv6 address"),
    "tag": ("tag", "tag"),
}
_ACCEPTED = (
    "'auto', 'none', or a list of interfaces, each a dictionary of network or port (name or id;"
    " also net-id, net-name, uuid, port-id, port-name), fixed_ip (also v4-fixed-ip, v6-fixed-ip)"
    " and tag"
)
_TAG_LENGTH = 60
# The compute API has tags in lists and in paths, so they hold neither separator.
_TAG = re.compile(r"[^,/]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A network or port that was named. ``kind`` is id, name or any of both."""

    value: str
    kind: str = "any"

    @property
    def may_be_id(self) -> bool:
        return self.kind == "id" or (self.kind == "any" and _is_uuid(self.value))

    @property
    def may_be_name(self) -> bool:
        return self.kind != "id"


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedInterface:
    """One entry of the list: exactly one of ``network`` and ``port``; ``address`` is its IP."""

    network: Reference | None = None
    port: Reference | None = None
    address: str | None = None
    tag: str | None = None


# auto, none, or a list, which may be empty.
Wanted: TypeAlias = "str | tuple[WantedInterface, ...]"


def parse_networks(value: Any) -> Wanted:
    """What the operator wrote.

    :raises RecoveryError: ``invalid_networks``, with everything that is wrong.
    """
    if value in (AUTO, NONE):
        return str(value)
    if not isinstance(value, list | tuple):
        raise _invalid([f"{value!r} is neither"])
    wrong: list[str] = []
    interfaces = []
    for number, entry in enumerate(value, 1):
        found, complaints = _interface(entry)
        interfaces.append(found)
        wrong += [f"interface {number}: {complaint}" for complaint in complaints]
    wrong += _duplicates(interfaces)
    if wrong:
        raise _invalid(wrong)
    return tuple(interfaces)


def _invalid(wrong: list[str]) -> RecoveryError:
    return RecoveryError(
        "invalid_networks",
        f"networks cannot be read: {'; '.join(wrong)}. It may be {_ACCEPTED}.",
        details={"wrong": wrong},
    )


def _interface(entry: Any) -> tuple[WantedInterface, list[str]]:
    if not isinstance(entry, Mapping):
        hint = f"; write network: {entry}" if isinstance(entry, str) else ""
        return WantedInterface(), [f"{entry!r} is not a dictionary{hint}"]
    wrong = [f"unknown word {word!r}" for word in entry if word not in _WORDS]
    values: dict[str, Any] = {}
    for word, value in entry.items():
        # A variable that was left empty is like one that was left out.
        if word not in _WORDS or value is None:
            continue
        field, kind = _WORDS[word]
        if field in values:
            wrong.append(f"{word!r} states the {field} once more")
        elif complaint := _complaint(value, kind):
            wrong.append(f"{word} {value!r} {complaint}")
            values[field] = None
        else:
            values[field] = Reference(value=value, kind=kind) if kind in _REFERENCES else value
    wrong += _combination(values)
    if wrong:
        return WantedInterface(), wrong
    address = values.get("fixed_ip")
    return WantedInterface(
        network=values.get("network"),
        port=values.get("port"),
        address=str(ipaddress.ip_address(address)) if address else None,
        tag=values.get("tag"),
    ), []


_REFERENCES = ("any", "id", "name")


def _complaint(value: Any, kind: str) -> str | None:
    """What is wrong with one value."""
    if not isinstance(value, str) or not value:
        return "is not a text, or empty"
    if kind == "id" and not _is_uuid(value):
        return "is not an id"
    if kind == "any" and value in (AUTO, NONE):
        return f"is not an interface; write networks: {value}"
    if kind == "tag" and (not _TAG.fullmatch(value) or len(value) > _TAG_LENGTH):
        return f"is no tag: at most {_TAG_LENGTH} characters, without comma and slash"
    if kind.endswith("address"):
        return _address_complaint(value, kind)
    return None


def _address_complaint(value: str, kind: str) -> str | None:
    try:
        version = ipaddress.ip_address(value).version
    except ValueError:
        return f"is not an {kind if kind[0] == 'I' else 'IP address'}"
    # A zone belongs to a host's interface and not to an address on a network.
    if "%" in value or (kind[0] == "I" and kind != f"IPv{version} address"):
        return f"is not an {kind if kind[0] == 'I' else 'IP address'}"
    return None


def _combination(values: Mapping[str, Any]) -> list[str]:
    if "network" in values and "port" in values:
        return ["state network or port, not both: a port is on its network"]
    if "port" in values and "fixed_ip" in values:
        return ["a port brings its own address: leave fixed_ip out"]
    if "network" not in values and "port" not in values:
        return ["network or port is missing"]
    return []


def _duplicates(interfaces: list[WantedInterface]) -> list[str]:
    ports = [found.port.value for found in interfaces if found.port is not None]
    again = sorted({port for port in ports if ports.count(port) > 1})
    return [f"port {port!r} is stated twice: an instance can have it once" for port in again]


def _is_uuid(value: str) -> bool:
    try:
        return str(uuid.UUID(value)) == value.lower()
    except ValueError:
        return False
