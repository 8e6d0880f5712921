# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether instances that were built are what their users asked for."""

from __future__ import annotations

from typing import Any

from expecting import require
from lab_access import connect

from . import cloud

Request = dict[str, Any]


def require_as_asked_for(made: dict[str, Request]) -> None:
    """By what Nova, Neutron and Cinder say of each, against what Nova's API sent for it.

    :param made: by uuid: the entry of the list, the original message, and its number in that.
    """
    admin, demo = connect(), connect("-demo")
    seen = {server["id"]: server for server in cloud.observe().values()}
    for uuid, request in made.items():
        entry = request["entry"]
        require(uuid in seen, f"{entry['name']} is gone")
        shown = seen[uuid]
        if "ends" in entry:
            require(shown["status"] == "ERROR" and not shown["guests"], f"{entry}: {shown}")
            continue
        api = demo.compute.get_server(uuid)
        user_data = admin.compute.get_server(uuid).user_data
        wrong = [
            f"{name} {found!r} instead of {wanted!r}"
            for name, (found, wanted) in _pairs(request, shown, api, user_data).items()
            if found != wanted
        ]
        wrong += _wrong_networks(request, shown["ports"]) + _wrong_volumes(request, shown)
        require(not wrong, f"{entry['name']}: {wrong}")


def _pairs(request: Request, shown: Any, api: Any, user_data: Any) -> dict[str, tuple[Any, Any]]:
    entry, sent = request["entry"], request["message"]["args"]
    fields = sent["build_requests"][request["number"]]["nova_object.data"]
    instance = fields["instance"]["nova_object.data"]
    certificates = entry.get("trusted_image_certificates")
    return {
        "status": (shown["status"], "ACTIVE"),
        "guests": (shown["guests"], [shown["host"]]),
        "name": (api.name, instance["display_name"]),
        "description": (api.description, instance["display_description"]),
        "hostname": (api.hostname, instance["hostname"]),
        "metadata": (shown["metadata"], entry.get("metadata", {})),
        "tags": (shown["tags"], sorted(entry.get("tags", []))),
        "key": (shown["key_name"], entry.get("key_name")),
        "config drive": (bool(shown["config_drive"]), "config_drive" in entry),
        "flavor": (shown["flavor"], entry.get("flavor", "lab.tiny")),
        "image": (bool(shown["image"]), "volume_gb" not in entry),
        "user data": (user_data, instance["user_data"]),
        "certificates": (api.trusted_image_certificates, certificates),
    }


def _wrong_networks(request: Request, ports: list[dict[str, Any]]) -> list[str]:
    """Each request must be met by one port, and no port be left over."""
    requests = request["message"]["args"]["requested_networks"]
    left = list(ports)
    wrong = []
    # What was not given can be unset.
    unset = dict.fromkeys(("network_id", "port_id", "address"))
    fields = [unset | each["nova_object.data"] for each in requests["nova_object.data"]["objects"]]
    # Those that say most first.
    for wanted in sorted(fields, key=lambda each: (not each["port_id"], not each["address"])):
        if wanted["network_id"] == "none":
            continue
        found = [
            port
            for port in left
            if wanted["port_id"] in (None, port["id"])
            and wanted["network_id"] in (None, port["network"])
            and wanted["address"] in (None, *port["addresses"])
        ]
        if found:
            left.remove(found[0])
        else:
            wrong.append(f"network request {wanted}")
    return wrong + [f"port {port['id']}" for port in left]


def _wrong_volumes(request: Request, shown: dict[str, Any]) -> list[str]:
    devices = request["message"]["args"]["block_device_mapping"]
    fields = [each["nova_object.data"] for each in devices["nova_object.data"]["objects"]]
    on_volumes = [each for each in fields if each["destination_type"] == "volume"]
    given = {each["volume_id"] for each in on_volumes if each.get("volume_id")}
    good = given <= set(shown["volumes"]) and len(on_volumes) == len(shown["volumes"])
    return [] if good else [f"volumes {sorted(given)}: {shown['volumes']}"]
