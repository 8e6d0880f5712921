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
from .adapters.progress_file import ProgressFile
from .domain.errors import RecoveryError
from .domain.progress import Watcher


class _Module(AnsibleModule):
    """Hides the secrets in dictionaries of options before anything is logged or returned."""

    def _log_invocation(self) -> None:
        self._hide_nested_secrets()
        super()._log_invocation()

    def fail_json(self, msg: str, **result: Any) -> NoReturn:
        self._hide_nested_secrets()
        super().fail_json(msg, **result)
        raise SystemExit

    def _hide_nested_secrets(self) -> None:
        for option in ("cloud", "machines"):
            self.no_log_values.update(_secrets(self.params.get(option)))


class Wiring:
    """What every module has: options, check mode, and one way from an error to fail_json."""

    def __init__(self, options: Mapping[str, Any], **module_options: Any) -> None:
        self.ansible = _Module(
            argument_spec=dict(options), supports_check_mode=True, **module_options
        )
        self.params: dict[str, Any] = self.ansible.params
        self.check_mode: bool = self.ansible.check_mode

    def need(self, *libraries: tuple[str, str | None]) -> None:
        """Fail unless each library, given with its import error, could be imported."""
        for name, import_error in libraries:
            if import_error:
                self.ansible.fail_json(missing_required_lib(name), exception=import_error)

    def finish(self, work: Callable[[], dict[str, Any]]) -> NoReturn:
        try:
            result = work()
        except RecoveryError as error:
            self.ansible.fail_json(error.message, changed=error.changed, error=error.as_dict())
        if result.get("failed"):
            self.ansible.fail_json(**result)
        self.ansible.exit_json(**result)
        raise SystemExit


class RecoveryModule(Wiring):
    """An AnsibleModule with a connection to the cloud.

    :param options: the module's own options; one that is also a connection option replaces it.
    """

    def __init__(self, options: Mapping[str, Any], **module_options: Any) -> None:
        super().__init__({**CONNECTION_OPTIONS, **options}, **module_options)

    def run(
        self, work: Callable[[CloudConnection], dict[str, Any]], *, reads_only: bool
    ) -> NoReturn:
        """Connect, do the work and exit with what it returns.

        A result with a true ``failed`` exits as a failure, with all that it holds.

        :param reads_only: True for a module that never changes anything.
        """
        self.finish(lambda: work(self.connect(reads_only=reads_only)))

    def run_watched(self, work: Callable[[CloudConnection, Watcher], dict[str, Any]]) -> NoReturn:
        """As :meth:`run`, for a module whose action plugin shows its progress meanwhile.

        Needs the option ``progress_path``.
        """
        progress = ProgressFile(self.params["progress_path"])
        watcher = Watcher(send=progress.send, watched=progress.watched)
        try:
            self.run(lambda connection: work(connection, watcher), reads_only=False)
        finally:
            progress.end()

    def connect(self, *, reads_only: bool) -> CloudConnection:
        """The cloud, for a module that needs it only for some of what it does.

        :param reads_only: True for one that never changes anything there.
        """
        self.need(("openstacksdk", OPENSTACKSDK_IMPORT_ERROR))
        return connect(self.params, read_only=reads_only or self.check_mode)


def failure_of(error: RecoveryError | None) -> dict[str, Any]:
    """What a result says of the error that its work has ended with; nothing without one."""
    if error is None:
        return {}
    return {"failed": True, "msg": error.message, "error": error.as_dict()}


def _secrets(config: Any, *, secret: bool = False) -> set[str]:
    """Every value below a key that names a secret, as text."""
    if isinstance(config, Mapping):
        found = (
            _secrets(value, secret=secret or _is_secret(name)) for name, value in config.items()
        )
    elif isinstance(config, list):
        found = (_secrets(value, secret=secret) for value in config)
    elif secret and config not in (None, "", True, False):
        return {str(config)}
    else:
        return set()
    return set().union(*found)


def _is_secret(name: Any) -> bool:
    words = ("password", "secret", "token", "passcode", "api_key", "private_key")
    return any(word in str(name).lower() for word in words)
