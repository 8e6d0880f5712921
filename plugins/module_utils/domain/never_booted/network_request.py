# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Requested networks of an instance, as Nova has them in a NetworkRequestList."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

# Two requests of their own, told by the network_id of a single NetworkRequest. An empty list is a
# third: take the one network that the project can use, or none where it can use none.
AUTO = "auto"
NONE = "none"

# What Nova sets of these two; of any other request it sets all.
_SET = {
    AUTO: ("network_id", "port_id", "pci_request_id", "device_profile"),
    NONE: ("network_id", "port_id", "device_profile"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkRequest:
    """One interface. A request for a port has no network_id: Nova takes the port's.

    ``address`` is the fixed IP; ``pci_request_id`` ties an SR-IOV port to the PCI device that the
    scheduler claims for it.
    """

    network_id: str | None = None
    address: str | None = None
    port_id: str | None = None
    tag: str | None = None
    pci_request_id: str | None = None
    arq_uuid: str | None = None
    device_profile: str | None = None

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any]) -> NetworkRequest:
        """From the fields of a primitive; one that is not set is None, as Nova takes it."""
        return cls(**{name: fields.get(name) for name in cls.__slots__})

    def fields(self) -> dict[str, Any]:
        """The fields of the primitive, those that Nova sets."""
        every = asdict(self)
        names = _SET.get(self.network_id or "")
        return every if names is None else {name: every[name] for name in names}

    def shown(self) -> dict[str, str]:
        """In the operator's words."""
        words = {
            "network": self.network_id,
            "fixed_ip": self.address,
            "port": self.port_id,
            "tag": self.tag,
        }
        return {word: value for word, value in words.items() if value is not None}


Requests = tuple[NetworkRequest, ...]

AUTO_REQUEST: Requests = (NetworkRequest(network_id=AUTO),)
NO_REQUEST: Requests = (NetworkRequest(network_id=NONE),)


def is_auto(requests: Requests) -> bool:
    """Whether Nova is to make a network where the project has none."""
    return len(requests) == 1 and requests[0].network_id == AUTO


def is_none(requests: Requests) -> bool:
    """Whether the instance is to have no interface."""
    return len(requests) == 1 and requests[0].network_id == NONE


def requests_from(stored: Iterable[Mapping[str, Any]] | None) -> Requests | None:
    """From the fields of a stored NetworkRequestList; None when unknown."""
    if stored is None:
        return None
    return tuple(NetworkRequest.from_fields(fields) for fields in stored)


def stored_fields(requests: Requests | None) -> list[dict[str, Any]] | None:
    """What RequestSpec.with_requested_networks takes."""
    return None if requests is None else [request.fields() for request in requests]


def show_requests(requests: Requests | None) -> str | list[dict[str, str]] | None:
    """In the words that network_request takes: auto, none or a list; None when unknown."""
    if requests is None:
        return None
    if is_auto(requests):
        return AUTO
    if is_none(requests):
        return NONE
    return [request.shown() for request in requests]
