# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Links to the logs of Nova's requests."""

from __future__ import annotations

import re
import string
from dataclasses import dataclass

from ..errors import RecoveryError

PLACE = "{request_id}"
# What stands for itself in a URL (RFC 3986).
_PLAIN = frozenset(f"{string.ascii_letters}{string.digits}-._~".encode())


@dataclass(frozen=True, slots=True)
class RequestLinks:
    """:param template: a URL with ``{request_id}`` in it; empty for no links."""

    template: str = ""

    def __post_init__(self) -> None:
        if not self.template:
            return
        if re.match("[^/?#]*//[^/?#]*@", self.template):
            # Not told: it may hold a password, and each page would.
            raise RecoveryError(
                "invalid_options",
                "request_url must not have a user or a password in it: every page would show it",
            )
        if not self.template.lower().startswith(("https://", "http://")):
            raise RecoveryError(
                "invalid_options",
                f"request_url must begin with https:// or http://: {self.template}",
            )
        if PLACE not in self.template:
            raise RecoveryError(
                "invalid_options",
                f"request_url has no {PLACE}, so that it cannot lead to a request: {self.template}",
            )

    def of(self, request_id: str) -> str | None:
        if not self.template:
            return None
        return self.template.replace(PLACE, _quoted(request_id))


def _quoted(text: str) -> str:
    return "".join(
        chr(byte) if byte in _PLAIN else f"%{byte:02X}" for byte in text.encode(errors="replace")
    )
