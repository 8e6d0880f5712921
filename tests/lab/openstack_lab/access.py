"""How people and tests reach the lab: clouds.yaml, environment, a shell."""

from __future__ import annotations

import json
import os
import shlex

from .config_common import Lab
from .install import Installed
from .settings import REGION, Settings

# Cloud name in clouds.yaml -> (user, project).
CLOUDS = {
    "lab": ("admin", "admin"),
    "lab-demo": ("demo", "demo"),
    "lab-other": ("other", "other"),
    "lab-reader": ("reader", "admin"),
}


def clouds_yaml(lab: Lab) -> str:
    clouds = {
        name: {
            "auth": {
                "auth_url": lab.keystone,
                "username": user,
                "password": lab.password,
                "project_name": project,
                "user_domain_name": "Default",
                "project_domain_name": "Default",
            },
            "region_name": REGION,
            "identity_api_version": "3",
        }
        for name, (user, project) in CLOUDS.items()
    }
    # JSON is YAML, and the standard library writes it.
    return json.dumps({"clouds": clouds}, indent=2) + "\n"


def environment(settings: Settings, installed: Installed) -> dict[str, str]:
    state = settings.state
    return {
        "OPENSTACK_LAB_STATE": str(state),
        "OPENSTACK_LAB_CACHE": str(settings.cache),
        "OPENSTACK_LAB_RELEASE": settings.release,
        "OPENSTACK_LAB_BASE_PORT": str(settings.base_port),
        "OPENSTACK_LAB_CELL0_DATABASE": settings.cell0_database,
        "OPENSTACK_LAB_PROFILE": settings.profile,
        "OPENSTACK_LAB_VENV": str(installed.openstack),
        "OPENSTACK_LAB_NOVA_CONF": str(state / "nova.conf"),
        "OPENSTACK_LAB_DATABASE_SOCKET": str(settings.database_socket("mariadb")),
        "OPENSTACK_LAB_CELL0_DATABASE_SOCKET": str(
            settings.database_socket(settings.database_server("nova_cell0"))
        ),
        **({"OPENSTACK_LAB_HOSTS": str(state / "hosts.json")} if settings.has_libvirt else {}),
        "OS_CLIENT_CONFIG_FILE": str(state / "clouds.yaml"),
        "OS_CLOUD": "lab",
    }


def exports(settings: Settings, installed: Installed) -> str:
    lines = [
        f"export {key}={shlex.quote(value)}"
        for key, value in environment(settings, installed).items()
    ]
    lines.append(f"export PATH={shlex.quote(str(installed.openstack / 'bin'))}:$PATH")
    return "\n".join(lines)


def enter_shell(settings: Settings, installed: Installed) -> None:
    """Replace this process by a shell; does not return."""
    shell = os.environ.get("SHELL") or "/bin/sh"
    variables = {**os.environ, **environment(settings, installed)}
    variables["PATH"] = f"{installed.openstack / 'bin'}:{variables.get('PATH', '/usr/bin:/bin')}"
    os.execvpe(shell, [shell], variables)
