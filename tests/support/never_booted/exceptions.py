# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every difference that is meant, each with its reason. Any other one is a defect."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable
from typing import Any

from .difference import UNSET, Difference, differences

Allowed = Callable[[Any, Any], bool]


def older(ours: Any, original: Any) -> bool:
    """Same major and a lower minor version: every supported release reads it."""
    mine, novas = ([int(part) for part in str(each).split(".")] for each in (ours, original))
    return mine[0] == novas[0] and mine[1] < novas[1]


def both(kind: type) -> Allowed:
    return lambda ours, original: isinstance(ours, kind) and isinstance(original, kind)


def exactly(ours_wanted: Any, original_wanted: Any) -> Allowed:
    return lambda ours, original: (ours, original) == (ours_wanted, original_wanted)


def lost(ours: Any, original: Any) -> bool:
    """Nova does not store it; the conductor gets none."""
    return ours in (UNSET, None) and original not in (UNSET, None)


# Of the BuildRequest, both as Nova loads it and as it is sent. Keys are regular expressions.
BUILD_REQUEST: dict[str, Allowed] = {
    # The row was written anew.
    r"build_requests?(\[0\])?/id": both(int),
    r"build_requests?(\[0\])?(/instance)?/created_at": both(str),
    # instance_extra holds each PCI request with all of its fields.
    r".*/instance/pci_requests/requests\[\d\]/(alias_name|numa_policy|requester_id)": exactly(
        None, UNSET
    ),
    r".*/instance/pci_requests/requests\[\d\]/is_new": exactly(False, UNSET),
    # The oldest that every supported release reads.
    r"[a-z_]+.*@version": older,
    # Nova clears it when it stores an instance.
    r".*/instance/flavor/description": exactly(None, "described"),
    # It depends on the networks: only the NUMA filter looks at it, when physnets have NUMA nodes.
    r"request_specs?(\[0\])?/network_metadata": lost,
    # They are read when the spec is sent; the API adds the instance only after it has read them.
    r"request_specs?(\[0\])?/instance_group/members": lambda ours, original: (
        original == [] and len(ours) == 1
    ),
    # Which fields have changed since the spec was loaded; nothing looks at it.
    r"request_specs?(\[0\])?.*@changes": both(list),
}
# Only of what Nova loads: it loads these from nowhere. The message must have them.
LOADED: dict[str, Allowed] = {
    r"request_spec/requested_networks": lambda ours, original: ours == UNSET,
    r"request_spec/(request_level_params|requested_resources|requested_destination)": (
        lambda ours, original: ours == UNSET
    ),
}
# Only of the message.
MESSAGE: dict[str, Allowed] = {
    # An instance of a batch is built by itself.
    r"request_specs\[0\]/num_instances": exactly(1, 3),
    # Another request, of the operator instead of the user, that no API has received.
    r"message/_(unique_id|context_request_id|context_timestamp)": both(str),
    r"message/_context_roles": both(list),
    r"message/_context_is_admin": exactly(True, False),
    r"message/_context_remote_address": exactly(None, "127.0.0.1"),
}


class Exceptions:
    def __init__(self, known: dict[str, Allowed]) -> None:
        self._known = {re.compile(pattern): allowed for pattern, allowed in known.items()}
        self._used: set[str] = set()
        self._wrong: list[str] = []

    def check(self, name: str, pairs: Iterable[tuple[str, Any, Any]]) -> None:
        for path, ours, original in pairs:
            for found in differences(ours, original, path):
                if not self._is_known(found):
                    shown = " | ".join(
                        json.dumps(value, ensure_ascii=False)[:300]
                        for value in (found.ours, found.original)
                    )
                    self._wrong.append(f"{name}: {found.path}: {shown}")

    def _is_known(self, found: Difference) -> bool:
        for pattern, allowed in self._known.items():
            if pattern.fullmatch(found.path) and allowed(found.ours, found.original):
                self._used.add(pattern.pattern)
                return True
        return False

    def done(self) -> None:
        """Ends the program when something differs that must not, or an exception is of no use."""
        if self._wrong:
            sys.exit("WRONG: place: ours | Nova's\n" + "\n".join(self._wrong))
        unused = {pattern.pattern for pattern in self._known} - self._used
        if unused:
            sys.exit(f"WRONG: these differ no longer: {sorted(unused)}")
