"""hosts.json: what a controller would know of its libvirt hosts and their BMCs."""

from __future__ import annotations

import json
import uuid
from typing import Any

from .config_common import Lab
from .settings import HOSTS


def machine_uuid(host: str) -> str:
    """What the board's firmware says: libvirt and the BMC both tell it."""
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, f"machine.{host}.openstack-lab.invalid"))


def of_host(lab: Lab, host: str) -> dict[str, Any]:
    settings = lab.settings
    folder = settings.host_dir(host)
    identity = machine_uuid(host)
    bmc = f"https://127.0.0.1:{settings.port(f'bmc-{host}')}"
    return {
        "libvirt_uri": f"qemu+tcp://127.0.0.1:{settings.port(f'management-{host}')}/system",
        "libvirt_socket_uri": f"qemu:///system?socket={folder}/run/libvirt/libvirt-sock",
        "libvirt_host_uuid": identity,
        "instances_path": str(folder / "instances"),
        "bmc": {
            "url": bmc,
            "system_id": identity,
            "system_url": f"{bmc}/redfish/v1/Systems/{identity}",
            "username": "lab",
            "password": lab.password,
            "ca_file": str(settings.tls / "ca.pem"),
            "serial_number": f"LAB-{host.upper()}",
            "host_name": host,
            "uuid": identity,
        },
    }


def hosts_json(lab: Lab) -> str:
    return json.dumps({host: of_host(lab, host) for host in HOSTS}, indent=2) + "\n"
