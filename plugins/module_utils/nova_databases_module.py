# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The wiring of the modules that use Nova's databases, and the cloud and conductor if they need."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import quote, quote_plus

from .adapters.mysql import PYMYSQL_IMPORT_ERROR
from .adapters.nova_conf import NOVA_OPTIONS, OSLO_CONFIG_IMPORT_ERROR, NovaConf, read_nova_conf
from .adapters.nova_databases import NovaDatabases
from .adapters.openstack_connection import (
    CONNECTION_OPTIONS,
    OPENSTACKSDK_IMPORT_ERROR,
    CloudConnection,
    connect,
)
from .domain.never_booted.release import require_tested_release
from .recovery_module import Wiring

if TYPE_CHECKING:
    from .adapters.conductor import RabbitConductor

_SHORTEST_SECRET = 4


class NovaDatabasesModule(Wiring):
    """An AnsibleModule that reaches Nova's databases, and the cloud and the conductor if it needs.

    :param options: the module's own options; one that is also a shared option replaces it.
    :param cloud: whether it has the cloud's connection options too.
    """

    def __init__(
        self, options: Mapping[str, Any], *, cloud: bool = False, **module_options: Any
    ) -> None:
        shared = {**NOVA_OPTIONS, **(CONNECTION_OPTIONS if cloud else {})}
        super().__init__({**shared, **options}, **module_options)
        self._cloud = cloud

    def run(
        self, work: Callable[[NovaConnections], dict[str, Any]], *, reads_only: bool
    ) -> NoReturn:
        """Read nova.conf, do the work and exit with what it returns.

        Databases, cloud and conductor are connected to when the work asks for them.

        :param reads_only: True for a module that never changes anything.
        """
        self.need(("PyMySQL", PYMYSQL_IMPORT_ERROR), ("oslo.config", OSLO_CONFIG_IMPORT_ERROR))

        def connect_and_work() -> dict[str, Any]:
            connections = NovaConnections(
                self.params,
                read_only=reads_only or self.check_mode,
                hide=self._hide,
                warn=self.ansible.warn,
                need=self.need,
                cloud=self._cloud,
            )
            try:
                return work(connections)
            finally:
                connections.close()

        self.finish(connect_and_work)

    def _hide(self, secret: str) -> None:
        """Have Ansible mask it wherever it shows, also as it is written in a URL."""
        # A shorter one would blacken numbers and words that have nothing to do with it.
        if len(secret) >= _SHORTEST_SECRET:
            self.ansible.no_log_values.update({secret, quote(secret, safe=""), quote_plus(secret)})


class NovaConnections:
    """Whatever a module wants to reach, each made at its first use.

    :param params: values of NOVA_OPTIONS, and of CONNECTION_OPTIONS where ``cloud`` is true.
    :param hide: told each secret that is read.
    """

    def __init__(
        self,
        params: Mapping[str, Any],
        *,
        read_only: bool,
        hide: Callable[[str], None],
        warn: Callable[[str], None],
        need: Callable[..., None],
        cloud: bool,
    ) -> None:
        self._params = params
        self.read_only = read_only
        self.hide = hide
        self._hide, self._warn, self._need = hide, warn, need
        self._has_cloud_options = cloud
        self.conf: NovaConf = read_nova_conf(
            params["nova_conf"],
            api_database=params["api_database"],
            database=params["cell_database"],
            transport_url=params["transport_url"],
        )
        for secret in self.conf.secrets:
            hide(secret)
        self._databases: NovaDatabases | None = None
        self._cloud: CloudConnection | None = None

    @property
    def databases(self) -> NovaDatabases:
        """Nova's databases and the journal, after a look at which release they are of.

        :raises RecoveryError: also ``untested_release``.
        """
        if self._databases is None:
            databases = NovaDatabases(
                self.conf.api_database,
                self.conf.database,
                journal_schema=self._params["journal_schema"],
                read_only=self.read_only,
                hide=self._hide,
            )
            warning = require_tested_release(
                databases.seen_release(), allow_untested=self._params["allow_untested_release"]
            )
            if warning:
                self._warn(warning)
            self._databases = databases
        return self._databases

    @property
    def has_cloud(self) -> bool:
        """Whether a cloud is named, by an option or the environment; for modules that can do without."""
        named = any(self._params.get(name) for name in ("cloud", "auth"))
        return self._has_cloud_options and (
            named or any(os.environ.get(name) for name in ("OS_CLOUD", "OS_AUTH_URL"))
        )

    @property
    def cloud(self) -> CloudConnection:
        """The cloud, with check mode enforced as everywhere."""
        if self._cloud is None:
            self._need(("openstacksdk", OPENSTACKSDK_IMPORT_ERROR))
            self._cloud = connect(self._params, read_only=self.read_only)
        return self._cloud

    @property
    def conductor(self) -> RabbitConductor:
        """Nova's conductor; in check mode one that sends nothing."""
        # Most modules never ask it, and to import oslo.messaging takes a third of a second.
        from .adapters.conductor import RabbitConductor, ReadOnlyConductor  # noqa: PLC0415
        from .adapters.message_bus import MESSAGING_IMPORT_ERROR, MessageBus  # noqa: PLC0415

        self._need(("oslo.messaging", MESSAGING_IMPORT_ERROR))
        bus = MessageBus(self.conf.oslo, self.conf.transport_url)
        kind = ReadOnlyConductor if self.read_only else RabbitConductor
        return kind(bus, self.conf.control_exchange)

    def settle_time(self, given: int | None) -> timedelta:
        """How long Nova may be at work on what it has begun.

        :param given: seconds; by default as long as Nova waits for a scheduler, and for an answer.
        """
        seconds = self.conf.long_rpc_timeout + self.conf.rpc_response_timeout
        return timedelta(seconds=seconds if given is None else given)

    def close(self) -> None:
        """End the connections to the databases."""
        if self._databases is not None:
            self._databases.close()
