"""Configuration of Keystone, Placement, Glance, Neutron, MariaDB and RabbitMQ."""

from __future__ import annotations

import base64
import getpass
import hashlib
import json

from . import config_cinder
from .config_common import Lab
from .config_nova import API_VHOST, CELL_VHOST
from .ini import Ini, merge
from .settings import Settings, loopback

NEUTRON_VHOST = "neutron"


def files(lab: Lab) -> dict[str, Ini]:
    """Path below etc -> content."""
    cinder = {"cinder/cinder.conf": config_cinder.config(lab)} if lab.settings.has_cinder else {}
    return {
        **cinder,
        "keystone/keystone.conf": _keystone(lab),
        "placement/placement.conf": _placement(lab),
        "glance/glance-api.conf": _glance(lab),
        "neutron/neutron.conf": _neutron(lab),
    }


def _keystone(lab: Lab) -> Ini:
    state = lab.settings.state
    return {
        "database": {"connection": lab.database("keystone", "keystone")},
        "cache": {
            "enabled": "true",
            "backend": "oslo_cache.memcache_pool",
            "memcache_servers": lab.memcached,
        },
        "token": {"provider": "fernet", "expiration": 43200},
        "fernet_tokens": {"key_repository": str(state / "keystone" / "fernet")},
        "fernet_receipts": {"key_repository": str(state / "keystone" / "fernet")},
        "credential": {"key_repository": str(state / "keystone" / "credential")},
        # The lowest cost bcrypt takes: logins are frequent, the password is random.
        "identity": {"password_hash_rounds": 4},
    }


def _placement(lab: Lab) -> Ini:
    return merge(
        {
            "placement_database": {"connection": lab.database("placement", "placement")},
            "api": {"auth_strategy": "keystone"},
        },
        lab.token_check("placement"),
    )


def _glance(lab: Lab) -> Ini:
    folder = lab.settings.state / "glance"
    return merge(
        {
            "DEFAULT": {"enabled_backends": "lab:file", "show_multiple_locations": "false"},
            "database": {"connection": lab.database("glance", "glance")},
            "glance_store": {"default_backend": "lab"},
            "lab": {"filesystem_store_datadir": str(folder / "images")},
            "os_glance_staging_store": {"filesystem_store_datadir": str(folder / "staging")},
            "os_glance_tasks_store": {"filesystem_store_datadir": str(folder / "tasks")},
            "paste_deploy": {"flavor": "keystone"},
        },
        lab.token_check("glance"),
        lab.locks("glance"),
    )


def _neutron(lab: Lab) -> Ini:
    etc = lab.settings.etc
    return merge(
        {
            "DEFAULT": {
                "core_plugin": "ml2",
                # Ports with a minimum bandwidth; networks that Neutron makes ("auto").
                "service_plugins": "qos,router,auto_allocate",
                "auth_strategy": "keystone",
                "transport_url": lab.transport(NEUTRON_VHOST),
                "api_paste_config": str(etc / "neutron" / "api-paste.ini"),
                "state_path": str(lab.settings.state / "neutron"),
                "rpc_workers": 1,
                "rpc_state_report_workers": 0,
                # There is no DHCP agent to tell.
                "dhcp_agent_notification": "false",
                "agent_down_time": 30,
                # The l2-agents process tells of every port; so Nova is told of it soon.
                "send_events_interval": 1,
            },
            "database": {"connection": lab.database("neutron", "neutron")},
            "nova": {**lab.login("neutron")},
            "placement": {**lab.login("neutron")},
            "ml2": {
                "mechanism_drivers": "openvswitch",
                "type_drivers": "vxlan",
                "tenant_network_types": "vxlan",
                "extension_drivers": "port_security,qos",
            },
            "ml2_type_vxlan": {"vni_ranges": "1:1000"},
            "quotas": {"quota_port": -1, "quota_network": -1, "quota_subnet": -1},
        },
        lab.token_check("neutron"),
        lab.messaging(),
        lab.locks("neutron"),
    )


def mariadb(settings: Settings, server: str) -> str:
    """A real MariaDB that may lose its last second: a lab's data is made anew at will."""
    lines = [
        "[mysqld]",
        f"user={getpass.getuser()}",
        f"datadir={settings.state}/{server}",
        f"tmpdir={settings.state}/tmp",
        f"socket={settings.database_socket(server)}",
        f"pid-file={settings.state}/{server}.pid",
        f"bind-address={','.join(loopback())}",
        f"port={settings.port(server)}",
        # PyMySQL takes TLS where a server has it, and verifies nothing unless told to.
        f"ssl-ca={settings.tls}/ca.pem",
        f"ssl-cert={settings.tls}/server.pem",
        f"ssl-key={settings.tls}/server.key",
        "skip-name-resolve",
        "skip-log-bin",
        "character-set-server=utf8mb3",
        "max_connections=1000",
        "performance_schema=off",
        "innodb_buffer_pool_size=256M",
        "innodb_log_file_size=64M",
        "innodb_flush_log_at_trx_commit=0",
        "innodb_doublewrite=0",
        "innodb_stats_persistent=0",
    ]
    return "\n".join(lines) + "\n"


def rabbitmq(lab: Lab) -> str:
    settings = lab.settings
    listeners = [
        f"listeners.{kind}.{number} = {address}:{settings.port(name)}"
        for kind, name in (("tcp", "rabbitmq"), ("ssl", "rabbitmq-tls"))
        for number, address in enumerate(loopback(), start=1)
    ]
    lines = [
        *listeners,
        f"ssl_options.cacertfile = {settings.tls}/ca.pem",
        f"ssl_options.certfile = {settings.tls}/server.pem",
        f"ssl_options.keyfile = {settings.tls}/server.key",
        "ssl_options.verify = verify_peer",
        "ssl_options.fail_if_no_peer_cert = true",
        f"load_definitions = {settings.etc}/rabbitmq_definitions.json",
        "disk_free_limit.absolute = 50MB",
        "vm_memory_high_watermark.absolute = 1GB",
        "log.console.level = warning",
    ]
    return "\n".join(lines) + "\n"


def rabbitmq_definitions(lab: Lab) -> str:
    """User and vhosts, imported at each start, so that rabbitmqctl (slow) is not needed."""
    salt = b"olab"
    digest = hashlib.sha256(salt + lab.password.encode()).digest()
    vhosts = [API_VHOST, CELL_VHOST, NEUTRON_VHOST]
    if lab.settings.has_cinder:
        vhosts.append(config_cinder.VHOST)
    everything = {"configure": ".*", "write": ".*", "read": ".*"}
    definitions = {
        "users": [
            {
                "name": "lab",
                "password_hash": base64.b64encode(salt + digest).decode(),
                "hashing_algorithm": "rabbit_password_hashing_sha256",
                "tags": "administrator",
            }
        ],
        "vhosts": [{"name": vhost} for vhost in vhosts],
        "permissions": [{"user": "lab", "vhost": vhost, **everything} for vhost in vhosts],
        # Nobody may be reading the notifications: keep the newest few thousand.
        "policies": [
            {
                "vhost": vhost,
                "name": "notifications",
                "pattern": "notifications",
                "apply-to": "queues",
                "priority": 0,
                "definition": {"max-length": 5000},
            }
            for vhost in vhosts
        ],
    }
    return json.dumps(definitions, indent=2) + "\n"
