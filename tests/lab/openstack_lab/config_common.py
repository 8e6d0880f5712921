"""What several services' configuration files share."""

from __future__ import annotations

from dataclasses import dataclass

from .ini import Ini
from .settings import REGION, Settings


@dataclass(frozen=True)
class Lab:
    """Settings plus the one password that every account of this lab has."""

    settings: Settings
    password: str

    def database(self, user: str, schema: str) -> str:
        port = self.settings.port(self.settings.database_server(schema))
        return f"mysql+pymysql://{user}:{self.password}@127.0.0.1:{port}/{schema}?charset=utf8"

    def transport(self, vhost: str, via: str = "rabbitmq") -> str:
        """Via is `rabbitmq` itself or a host's link to it."""
        return f"rabbit://lab:{self.password}@127.0.0.1:{self.settings.port(via)}/{vhost}"

    @property
    def keystone(self) -> str:
        return f"{self.settings.url('keystone')}/v3"

    @property
    def memcached(self) -> str:
        return f"127.0.0.1:{self.settings.port('memcached')}"

    def login(self, user: str) -> dict[str, str | int]:
        """The options by which a service logs in to Keystone."""
        return {
            "auth_type": "password",
            "auth_url": self.keystone,
            "username": user,
            "password": self.password,
            "user_domain_name": "Default",
            "project_name": "service",
            "project_domain_name": "Default",
            "region_name": REGION,
        }

    def token_check(self, user: str) -> Ini:
        return {
            "keystone_authtoken": {
                **self.login(user),
                "www_authenticate_uri": self.keystone,
                "memcached_servers": self.memcached,
                "service_token_roles": "service",
                "service_token_roles_required": "true",
                "service_type": _SERVICE_TYPES[user],
            }
        }

    def messaging(self) -> Ini:
        return {
            "oslo_messaging_rabbit": {
                # A healed partition should be noticed within seconds.
                "rabbit_retry_interval": 1,
                "rabbit_retry_backoff": 1,
                "rabbit_interval_max": 2,
                "kombu_reconnect_delay": "0.5",
                # Reply and fan-out queues of killed services go away soon.
                "rabbit_transient_queues_ttl": 120,
            }
        }

    def locks(self, service: str) -> Ini:
        return {"oslo_concurrency": {"lock_path": str(self.settings.state / "locks" / service)}}


_SERVICE_TYPES = {
    "cinder": "block-storage",
    "placement": "placement",
    "glance": "image",
    "neutron": "network",
    "nova": "compute",
}
