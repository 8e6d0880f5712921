# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can go wrong, as codes that playbooks and rulebooks can branch on."""

from __future__ import annotations

from typing import Any


class RecoveryError(Exception):
    """An error with a stable code, and whether the same call can succeed later unchanged.

    :param code: snake_case word from the module's documentation, for example ``host_is_up``.
    :param message: one sentence that says what is wrong and what to do.
    :param retriable: True when running the same thing again later can help.
    :param details: JSON-serialisable facts behind the message; never a secret.
    :param request_id: OpenStack request id of the call that failed, where there was one.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        retriable: bool = False,
        details: dict[str, Any] | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.retriable = retriable
        self.details = details or {}
        self.request_id = request_id
        # Whether something had been changed before it went wrong.
        self.changed = False

    def as_dict(self) -> dict[str, Any]:
        """The ``error`` that a failed module returns."""
        return {
            "code": self.code,
            "retriable": self.retriable,
            "details": self.details,
            "request_id": self.request_id,
        }


class ApiUnavailable(RecoveryError):
    """The cloud did not answer, or answered 429 or 5xx: what it did with the request is unknown."""

    def __init__(self, message: str, *, request_id: str | None = None, **details: Any) -> None:
        super().__init__(
            "api_unavailable", message, retriable=True, details=details, request_id=request_id
        )


class ApiRefused(RecoveryError):
    """The cloud refused the request with a 4xx status: it has done nothing.

    :param status: the HTTP status, for example 409.
    """

    def __init__(
        self, code: str, message: str, *, status: int, request_id: str | None = None, **details: Any
    ) -> None:
        super().__init__(
            code, message, details={"http_status": status, **details}, request_id=request_id
        )
        self.status = status


class MutationRefused(RecoveryError):
    """Something tried to change the cloud while only reading is allowed (check mode)."""

    def __init__(self, what: str) -> None:
        super().__init__(
            "read_only",
            f"refused to send '{what}' in check mode; this is a defect of the collection, please"
            " report it",
        )
