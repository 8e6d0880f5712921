# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A machine's BMC over Redfish, with sushy."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from ..domain.errors import MutationRefused
from ..domain.power.bmc import OFF, ON, UNKNOWN, Identity, Power, bmc_error
from ..domain.power.machine import Machine

SUSHY_IMPORT_ERROR: str | None = None
_Connector: Any = object
try:
    import requests
    import sushy
    from sushy import auth as sushy_auth
    from sushy import connector as sushy_connector
    from sushy import exceptions as sushy_exceptions

    _Connector = sushy_connector.Connector
except ImportError:
    SUSHY_IMPORT_ERROR = traceback.format_exc()

# What sushy trips over in an answer that is JSON but no Redfish, or no JSON.
_MALFORMED = (ValueError, AttributeError, TypeError, KeyError)
# By preference, of those that the BMC allows.
_COMMANDS = {OFF: ("ForceOff",), ON: ("On", "ForceOn")}


class _LookingConnector(_Connector):  # type: ignore[misc]
    """Refuses whatever is not a GET: check mode must not depend on an `if` somewhere."""

    def post(self, path: str = "", *_arguments: Any, **_options: Any) -> Any:
        raise MutationRefused(f"POST {path}")

    def patch(self, path: str = "", *_arguments: Any, **_options: Any) -> Any:
        raise MutationRefused(f"PATCH {path}")

    def put(self, path: str = "", *_arguments: Any, **_options: Any) -> Any:
        raise MutationRefused(f"PUT {path}")

    def delete(self, path: str = "", *_arguments: Any, **_options: Any) -> Any:
        raise MutationRefused(f"DELETE {path}")


class RedfishBmc:
    """The BMC's service, opened at the first use.

    The login is sent with each request (HTTP basic, which every Redfish service has): a session
    would have to be made by a POST, also to look, and BMCs have few.

    :param timeout: seconds for each request, to connect as well as to answer.
    """

    def __init__(self, machine: Machine, *, timeout: float, read_only: bool) -> None:
        self._machine = machine
        self._timeout = timeout
        self._read_only = read_only
        self._opened: Any = None

    def identity(self) -> Identity:
        system = self._system()
        serial = system.serial_number
        return Identity(
            system=system.path,
            serial_numbers=(serial,) if serial else (),
            host_name=system.hostname or None,
            manufacturer=system.manufacturer,
            model=system.model,
        )

    def power(self) -> Power:
        system = self._system()
        with self._translated("its power state"):
            system.refresh(force=True)
        reported = str(system.json.get("PowerState"))
        state = {"On": ON, "Off": OFF}.get(reported, UNKNOWN)
        return Power(state, reported, datetime.now(UTC))

    def switch(self, state: str) -> None:
        system = self._system()
        with self._translated(f"to switch {state}"):
            allowed = {command.value for command in system.get_allowed_reset_system_values()}
            for command in _COMMANDS[state]:
                if command in allowed:
                    system.reset_system(sushy.ResetType(command))
                    return
        raise bmc_error(
            self._machine,
            "bmc_refused",
            f"offers none of {', '.join(_COMMANDS[state])}, only {', '.join(sorted(allowed))}",
        )

    def _system(self) -> Any:
        if self._opened is None:
            with self._translated("its systems"):
                self._opened = self._open()
        return self._opened

    def _open(self) -> Any:
        machine = self._machine
        url = f"https://{machine.shown_address}"
        connector = (_LookingConnector if self._read_only else _Connector)(
            url,
            verify=(machine.ca_file or True) if machine.validate_certs else False,
            # One attempt each: by default it tries three times, each as long as the time-out.
            server_side_retries=1,
            server_side_retries_delay=1,
            default_request_timeout=self._timeout,
        )
        login = sushy_auth.BasicAuth(machine.username, machine.password)
        root = sushy.Sushy(url, auth=login, connector=connector)
        # The first page needs no login; this one does.
        paths = list(root.get_system_collection().members_identities)
        wanted = machine.system
        found = [path for path in paths if wanted in (None, path, path.rsplit("/", 1)[-1])]
        if len(found) != 1:
            raise bmc_error(
                self._machine,
                "system_not_found",
                f"has {len(found)} systems that could be meant. Name one with 'system':"
                f" {', '.join(paths) or 'it has none'}",
                systems=paths,
            )
        return root.get_system(found[0])

    @contextmanager
    def _translated(self, what: str) -> Iterator[None]:
        """sushy's errors as ours."""
        try:
            yield
        except sushy_exceptions.ConnectionError as error:
            if _is_tls(error):
                raise bmc_error(
                    self._machine, "tls_error", f"has no certificate to trust: {error}"
                ) from error
            raise bmc_error(
                self._machine,
                "bmc_unreachable",
                f"did not answer when asked for {what}: {error}",
                retriable=True,
            ) from error
        except sushy_exceptions.AccessError as error:
            status = error.status_code
            reason = "the login is wrong" if status == 401 else "the user may not do this"
            raise bmc_error(
                self._machine, "bmc_auth_failed", f"answered {status}: {reason}", http_status=status
            ) from error
        except sushy_exceptions.HTTPError as error:
            status = error.status_code
            raise bmc_error(
                self._machine,
                "bmc_refused",
                f"refused when asked for {what}: {error}",
                retriable=status >= 500,
                http_status=status,
            ) from error
        except (sushy_exceptions.SushyError, *_MALFORMED) as error:
            raise bmc_error(
                self._machine, "bmc_refused", f"does not speak Redfish as expected: {error}"
            ) from error


def _is_tls(error: BaseException | None) -> bool:
    """sushy wraps it; the library's own error lies below."""
    while error is not None:
        if isinstance(error, requests.exceptions.SSLError):
            return True
        error = error.__cause__ or error.__context__
    return False
