"""What runs, where it listens, and what Nova thinks of its hosts."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

from .config_common import Lab
from .faults import active_faults
from .settings import PORT_OFFSETS, Settings
from .supervisor import Supervisor


def show(settings: Settings, lab: Lab) -> bool:
    """Print everything; true only if all is up."""
    supervisor = Supervisor(settings)
    print(f"release {settings.release}, state {settings.state}")
    if not supervisor.is_running():
        print("the lab is down")
        return False
    good = True
    for process in sorted(supervisor.processes().values(), key=lambda entry: entry.name):
        port = str(settings.port(process.name)) if process.name in PORT_OFFSETS else "-"
        print(f"{process.name:22} {process.state:9} port {port:6} {process.description}")
        good = good and process.state == "RUNNING"
    for target, fault in active_faults(settings).items():
        print(f"fault: {target} {fault}")
        good = False
    try:
        services = nova_compute_services(lab)
    except (OSError, KeyError, ValueError) as error:
        print(f"Nova does not answer: {error}")
        return False
    for service in services:
        forced = ", forced down" if service.get("forced_down") else ""
        print(
            f"nova-compute on {service['host']:12} {service['state']}, {service['status']}{forced}"
        )
        good = good and service["state"] == "up" and service["status"] == "enabled"
    return good


def nova_compute_services(lab: Lab) -> list[dict[str, Any]]:
    domain = {"name": "Default"}
    user = {"name": "admin", "password": lab.password, "domain": domain}
    scope = {"project": {"name": "admin", "domain": domain}}
    identity = {"methods": ["password"], "password": {"user": user}}
    answer = _open(f"{lab.keystone}/auth/tokens", {"auth": {"identity": identity, "scope": scope}})
    token = answer.headers["X-Subject-Token"]
    nova = f"{lab.settings.url('nova-api')}/v2.1/os-services?binary=nova-compute"
    with _open(
        nova, None, {"X-Auth-Token": token, "OpenStack-API-Version": "compute 2.53"}
    ) as body:
        services: list[dict[str, Any]] = json.load(body)["services"]
    return services


def _open(url: str, body: dict[str, Any] | None, headers: dict[str, str] | None = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(
        url, data, {"Content-Type": "application/json", **(headers or {})}
    )
    try:
        return urllib.request.urlopen(request, timeout=30)
    except urllib.error.HTTPError as error:
        raise ValueError(f"HTTP {error.code} from {url}") from None
