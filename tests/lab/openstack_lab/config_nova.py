"""Nova's configuration files: the controller's, cell1's conductor's, one per host."""

from __future__ import annotations

from .config_common import Lab
from .ini import Ini, merge
from .settings import HOSTS, REGION

API_VHOST = "nova"
CELL_VHOST = "nova_cell1"


def files(lab: Lab) -> dict[str, Ini]:
    """File name in etc/nova -> content."""
    return {
        "nova.conf": controller(lab),
        "cell1.conf": _cell_conductor(lab),
        **{f"{host}.conf": _compute(lab, host) for host in HOSTS},
    }


def controller(lab: Lab) -> Ini:
    """nova-api, the super-conductor and the scheduler: what a real controller has."""
    return merge(
        _common(lab),
        {
            "DEFAULT": {"host": "controller", "transport_url": lab.transport(API_VHOST)},
            "api_database": {"connection": lab.database("nova", "nova_api")},
            "database": {"connection": lab.database("nova", "nova_cell0")},
            "oslo_messaging_notifications": {"transport_url": lab.transport(API_VHOST)},
        },
    )


def _cell_conductor(lab: Lab) -> Ini:
    return merge(
        _common(lab),
        {
            "DEFAULT": {"host": "cell1", "transport_url": lab.transport(CELL_VHOST)},
            # Computes ask it for server groups when they check a group's policy late.
            "api_database": {"connection": lab.database("nova", "nova_api")},
            "database": {"connection": lab.database("nova", "nova_cell1")},
            "oslo_messaging_notifications": {"transport_url": lab.transport(API_VHOST)},
        },
    )


def _compute(lab: Lab, host: str) -> Ini:
    # The same for every host of the profile libvirt: each sees its own folder there.
    libvirt = lab.settings.has_libvirt
    folder = lab.settings.host_mount if libvirt else lab.settings.host_dir(host)
    # There a forwarder carries the lab's ports to the host, with their own numbers.
    link = "rabbitmq" if libvirt else f"link-{host}"
    return merge(
        _common(lab),
        {
            "DEFAULT": {
                "host": host,
                "transport_url": lab.transport(CELL_VHOST, via=link),
                "state_path": str(folder),
                "instances_path": str(folder / "instances"),
                "reserved_host_memory_mb": 0,
                # Nothing in these tasks matters here, and idle time is scarce.
                "heal_instance_info_cache_interval": -1,
            },
            "oslo_messaging_notifications": {"transport_url": lab.transport(API_VHOST, via=link)},
            "image_cache": {"manager_interval": -1},
            "oslo_concurrency": {"lock_path": str(folder / "locks")},
        },
        _libvirt(lab) if libvirt else {"DEFAULT": {"compute_driver": _FAKE_DRIVER}},
    )


_FAKE_DRIVER = "openstack_lab.GuestFileDriver"


def _libvirt(lab: Lab) -> Ini:
    # sudo is the default, and need not be installed: everything here is root's.
    helper: dict[str, str | int] = {"helper_command": "privsep-helper"}
    return {
        "DEFAULT": {"compute_driver": "libvirt.LibvirtDriver"},
        "libvirt": {
            "virt_type": "qemu",
            "nfs_mount_point_base": str(lab.settings.host_mount / "mnt"),
        },
        "os_vif_ovs": {"ovsdb_connection": "unix:/run/openvswitch/db.sock"},
        "nova_sys_admin": helper,
        "privsep_osbrick": helper,
        "vif_plug_ovs_privileged": helper,
        "vif_plug_linux_bridge_privileged": helper,
    }


def _common(lab: Lab) -> Ini:
    state = lab.settings.state
    return merge(
        {
            "DEFAULT": {
                "debug": "false",
                "my_ip": "127.0.0.1",
                "state_path": str(state / "nova"),
                "report_interval": 2,
                "service_down_time": 8,
                "rpc_response_timeout": 30,
                "graceful_shutdown_timeout": 5,
            },
            "api": {"local_metadata_per_cell": "false"},
            "cache": {
                "enabled": "true",
                "backend": "oslo_cache.memcache_pool",
                "memcache_servers": lab.memcached,
            },
            "cinder": {**lab.login("nova"), "os_region_name": REGION},
            "conductor": {"workers": 1},
            "scheduler": {"workers": 1, "discover_hosts_in_cells_interval": 10},
            # Kept in the scheduler's memory otherwise, which no reset of a database reaches.
            "filter_scheduler": {"track_instance_changes": "false"},
            "glance": {"region_name": REGION},
            "neutron": {**lab.login("nova")},
            "placement": {**lab.login("nova")},
            "service_user": {**lab.login("nova"), "send_service_user_token": "true"},
            "notifications": {"notification_format": "both"},
            # No host has such a device: who asks for it is not built.
            "pci": {
                "alias": '{"name": "lab-pci", "vendor_id": "1af4", "product_id": "1000",'
                ' "device_type": "type-PCI"}'
            },
            "oslo_messaging_notifications": {"driver": "messagingv2"},
            # Otherwise Nova answers 403 where an experiment expects NoValidHost.
            "quota": {"instances": -1, "cores": -1, "ram": -1},
            "vnc": {"enabled": "false"},
            "spice": {"enabled": "false"},
        },
        lab.token_check("nova"),
        lab.messaging(),
        lab.locks("nova"),
    )
