# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ways to fence a host, and whether what a caller has stated can be done at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import RecoveryError
from ..power.machine import IPMI, PROTOCOLS, REDFISH, Defaults, find_machine

LIBVIRT = "libvirt"
TASKS = "tasks"
NONE = "none"
# By what they observe: that the host is off, or that no guest runs on it.
POWER_METHODS = (REDFISH, IPMI, TASKS)
METHODS = (*POWER_METHODS, LIBVIRT)

FAIL = "fail"
PROCEED_IF_TERMINATED = "proceed_if_libvirt_terminated"
PROCEED = "proceed"
POLICIES = (FAIL, PROCEED_IF_TERMINATED, PROCEED)


def fencing_problems(
    methods: Sequence[Any],
    host: str,
    *,
    machines: Any,
    username: str | None,
    password: str | None,
    libvirt_uri: str,
    on_unreachable_bmc: str,
) -> list[str]:
    """Why a host cannot be fenced as stated; none when it can be tried.

    :param methods: in the order in which they are tried, or only NONE.
    :param machines: as the module power_state has it.
    :param username: of all BMCs that state none; so is ``password``.
    :param libvirt_uri: empty where the host's libvirt is not known.
    :returns: sentences for people, without secrets.
    """
    if isinstance(methods, str) or not isinstance(machines, Mapping):
        return ["the methods must be a list, and the machines a dictionary"]
    if not methods:
        return ["no method is stated: name those to try, or 'none'"]
    if unknown := [str(method) for method in methods if method not in (*METHODS, NONE)]:
        return [f"unknown method {', '.join(unknown)}: there are {', '.join((*METHODS, NONE))}"]
    problems = []
    if NONE in methods and len(methods) > 1:
        problems.append("'none' stands beside other methods: it can only stand alone")
    if len(set(methods)) != len(methods):
        problems.append("a method is stated twice")
    if on_unreachable_bmc not in POLICIES:
        problems.append(f"on_unreachable_bmc is one of {', '.join(POLICIES)}")
    if on_unreachable_bmc == PROCEED_IF_TERMINATED and LIBVIRT not in methods:
        problems.append(f"{PROCEED_IF_TERMINATED} needs the method libvirt in the list")
    if LIBVIRT in methods and not libvirt_uri:
        problems.append("the method libvirt needs the URI of the host's libvirt")
    if on_unreachable_bmc == FAIL and _is_after_power(LIBVIRT, methods):
        # It would end guests that nobody may evacuate then.
        problems.append(
            "the method libvirt after one that cuts the power counts only with on_unreachable_bmc"
            f" {PROCEED_IF_TERMINATED} or {PROCEED}: state one of them, or leave libvirt out"
        )
    defaults = Defaults(username=username or None, password=password or None)
    for method in methods:
        if method in PROTOCOLS:
            try:
                find_machine(host, machines, method, defaults)
            except RecoveryError as error:
                problems.append(error.message)
    return problems


def _is_after_power(method: str, methods: Sequence[str]) -> bool:
    before = methods[: methods.index(method)] if method in methods else ()
    return any(other in POWER_METHODS for other in before)
