# mypy: disable-error-code="import-not-found,import-untyped"
"""Make what every lab has, under fixed names; what is there is left alone.

Runs inside the OpenStack environment: `seed.py identity` once Keystone answers, `seed.py
resources` once all do. LAB_PASSWORD is every account's, LAB_URLS is "API=URL ..."; Cinder may be
missing there. LAB_VOLUME_BACKEND is Cinder's, LAB_IMAGE_FILE the image's data, if a real one is
needed.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import openstack

SERVICES = (
    # account, service type, API name in LAB_URLS, path
    ("placement", "placement", "placement", ""),
    ("glance", "image", "glance", ""),
    ("neutron", "network", "neutron-api", ""),
    ("nova", "compute", "nova-api", "/v2.1"),
    ("cinder", "block-storage", "cinder-api", "/v3"),
)
USERS = (
    # name, project, role
    ("demo", "demo", "member"),
    ("other", "other", "member"),
    ("reader", "admin", "reader"),
)
FLAVORS = (
    # name, vcpus, MB, GB
    ("lab.tiny", 1, 64, 1),
    ("lab.small", 2, 2048, 20),
    ("lab.big", 8, 16384, 100),
)
VOLUME_TYPE = "lab-volumes"
NETWORKS = (("lab-net", "10.10.0.0/16"), ("lab-net-2", "10.20.0.0/16"))


def api_urls() -> dict[str, str]:
    return dict(item.split("=", 1) for item in os.environ["LAB_URLS"].split())


def image_data() -> bytes:
    file = os.environ.get("LAB_IMAGE_FILE")
    return Path(file).read_bytes() if file else b"not a real disk: the lab's hypervisor is fake\n"


def seed_identity(cloud: Any) -> None:
    identity = cloud.identity
    password = os.environ["LAB_PASSWORD"]
    urls = api_urls()
    region = os.environ["LAB_REGION"]
    roles = {role.name: role for role in identity.roles()}
    if "service" not in roles:  # keystone-manage bootstrap makes it since 2023.2
        roles["service"] = identity.create_role(name="service")
    projects = {project.name: project for project in identity.projects()}
    for name in ("service", "demo", "other"):
        if name not in projects:
            projects[name] = identity.create_project(name=name, domain_id="default")
    users = {user.name: user for user in identity.users()}

    def account(name: str, project: str, *granted: str) -> None:
        if name not in users:
            users[name] = identity.create_user(
                name=name,
                password=password,
                domain_id="default",
                default_project_id=projects[project].id,
            )
        for role in granted:
            # Granting twice is not an error.
            identity.assign_project_role_to_user(projects[project], users[name], roles[role])

    for name, project, role in USERS:
        account(name, project, role)
    services = {service.type: service for service in identity.services()}
    endpoints = {(entry.service_id, entry.interface) for entry in identity.endpoints()}
    for name, kind, api, path in SERVICES:
        if api not in urls:
            continue
        account(name, "service", "admin", "service")
        if kind not in services:
            services[kind] = identity.create_service(name=name, type=kind)
        for interface in ("public", "internal", "admin"):
            if (services[kind].id, interface) not in endpoints:
                identity.create_endpoint(
                    service_id=services[kind].id,
                    interface=interface,
                    region_id=region,
                    url=urls[api] + path,
                )


def seed_resources(cloud: Any) -> None:
    if not cloud.image.find_image("lab-image"):
        cloud.image.create_image(
            name="lab-image",
            data=image_data(),
            disk_format="raw",
            container_format="bare",
            visibility="public",
        )
    flavors = {flavor.name for flavor in cloud.compute.flavors()}
    for name, vcpus, ram, disk in FLAVORS:
        if name not in flavors:
            cloud.compute.create_flavor(name=name, vcpus=vcpus, ram=ram, disk=disk)
    networks = {network.name: network for network in cloud.network.networks()}
    subnets = {subnet.name for subnet in cloud.network.subnets()}
    for name, cidr in NETWORKS:
        network = networks.get(name) or cloud.network.create_network(name=name, shared=True)
        if name not in subnets:
            # No DHCP agents here: a port would wait for them.
            cloud.network.create_subnet(
                name=name, network_id=network.id, ip_version=4, cidr=cidr, is_dhcp_enabled=False
            )
    if "cinder-api" in api_urls():
        types = {kind.name for kind in cloud.block_storage.types()}
        if VOLUME_TYPE not in types:
            specs = {"volume_backend_name": os.environ["LAB_VOLUME_BACKEND"]}
            cloud.block_storage.create_type(name=VOLUME_TYPE, extra_specs=specs)


def main() -> None:
    cloud = openstack.connect(cloud="lab")
    {"identity": seed_identity, "resources": seed_resources}[sys.argv[1]](cloud)


if __name__ == "__main__":
    main()
