# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The wiring that every module shares: options, connection, and errors mapped once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from .adapters.openstack_connection import (
    CONNECTION_OPTIONS,
    OPENSTACKSDK_IMPORT_ERROR,
    CloudConnection,
    connect,
)
from .domain.errors import RecoveryError


class RecoveryModule:
    """An AnsibleModule with a connection to the cloud.

    :param options: the module's own options; one that is also a connection option replaces it.
    """

    def __init__(self, options: Mapping[str, Any], **module_options: Any) -> None:
        self.ansible = AnsibleModule(
            argument_spec={**CONNECTION_OPTIONS, **options},
            supports_check_mode=True,
            **module_options,
        )
        self.params: dict[str, Any] = self.ansible.params
        self.check_mode: bool = self.ansible.check_mode

    def run(
        self, work: Callable[[CloudConnection], dict[str, Any]], *, reads_only: bool
    ) -> NoReturn:
        """Connect, do the work and exit with what it returns.

        A result with a true ``failed`` exits as a failure, with all that it holds.

        :param reads_only: True for a module that never changes anything.
        """
        if OPENSTACKSDK_IMPORT_ERROR:
            self.ansible.fail_json(
                msg=missing_required_lib("openstacksdk"), exception=OPENSTACKSDK_IMPORT_ERROR
            )
        self._hide_nested_secrets()
        try:
            read_only = reads_only or self.check_mode
            result = work(connect(self.params, read_only=read_only))
        except RecoveryError as error:
            self._fail(error)
        if result.get("failed"):
            self.ansible.fail_json(**result)
        self.ansible.exit_json(**result)
        raise SystemExit

    def _fail(self, error: RecoveryError) -> NoReturn:
        self.ansible.fail_json(msg=error.message, error=error.as_dict())
        raise SystemExit

    def _hide_nested_secrets(self) -> None:
        """'cloud' may be a whole configuration: its secrets are no_log too."""
        cloud = self.params["cloud"]
        if isinstance(cloud, Mapping):
            self.ansible.no_log_values.update(_secrets(cloud))


def _secrets(config: Mapping[str, Any]) -> set[str]:
    found: set[str] = set()
    for name, value in config.items():
        if isinstance(value, Mapping):
            found |= _secrets(value)
        elif isinstance(value, str) and value and _is_secret(name):
            found.add(value)
    return found


def _is_secret(name: str) -> bool:
    return any(word in name.lower() for word in ("password", "secret", "token", "passcode"))
