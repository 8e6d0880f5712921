"""Cinder's configuration: API, scheduler and the one backend share a file."""

from __future__ import annotations

from .config_common import Lab
from .ini import Ini, merge
from .settings import Settings

VHOST = "cinder"
# As the seeds make it.
VOLUME_TYPE = "lab-volumes"
# As an NFS server would call it; only the lab's own mount reads it.
SHARE = "127.0.0.1:/lab-volumes"


def backend(settings: Settings) -> str:
    return "nfs" if settings.has_libvirt else "fake"


def config(lab: Lab) -> Ini:
    etc = lab.settings.etc / "cinder"
    return merge(
        {
            "DEFAULT": {
                "host": "controller",
                "my_ip": "127.0.0.1",
                "transport_url": lab.transport(VHOST),
                "auth_strategy": "keystone",
                "api_paste_config": str(etc / "api-paste.ini"),
                "resource_query_filters_file": str(etc / "resource_filters.json"),
                "state_path": str(lab.settings.state / "cinder"),
                "enabled_backends": backend(lab.settings),
                "default_volume_type": VOLUME_TYPE,
                # After a reset the services' reports are old until the next ones.
                "report_interval": 2,
                # Until the scheduler was told of the backend it refuses every volume.
                "backend_stats_polling_interval": 3,
                "rpc_response_timeout": 30,
                "graceful_shutdown_timeout": 5,
                # As in Nova: no experiment is about quotas. db sync copies them to the database.
                "quota_volumes": -1,
                "quota_snapshots": -1,
                "quota_gigabytes": -1,
            },
            "database": {"connection": lab.database("cinder", "cinder")},
            backend(lab.settings): _backend(lab.settings),
            "nova": {**lab.login("cinder")},
            "service_user": {**lab.login("cinder"), "send_service_user_token": "true"},
        },
        lab.token_check("cinder"),
        lab.messaging(),
        lab.locks("cinder"),
        {
            "cinder_sys_admin": {"helper_command": "privsep-helper"},
            "privsep_osbrick": {"helper_command": "privsep-helper"},
        },
    )


def _backend(settings: Settings) -> dict[str, str | int]:
    name = {"volume_backend_name": backend(settings)}
    if not settings.has_libvirt:
        return {**name, "volume_driver": "cinder.volume.drivers.openstack_lab.NoDataDriver"}
    host, path = SHARE.split(":")
    return {
        **name,
        "volume_driver": "cinder.volume.drivers.nfs.NfsDriver",
        "nas_host": host,
        "nas_share_path": path,
        "nfs_mount_point_base": str(settings.state / "cinder" / "mnt"),
        # All run as root here.
        "nas_secure_file_operations": "false",
        "nas_secure_file_permissions": "false",
    }
