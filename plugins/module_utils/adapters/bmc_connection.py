# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options that all modules for BMCs have, and the BMC that they describe."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..domain.power.bmc import Bmc
from ..domain.power.machine import REDFISH, Defaults, Machine
from .ipmi import IpmiBmc
from .redfish import RedfishBmc

BMC_OPTIONS: dict[str, dict[str, Any]] = {
    "machines": {"type": "dict", "required": True},
    "username": {"type": "str"},
    "password": {"type": "str", "no_log": True},
    "ca_file": {"type": "path"},
    "validate_certs": {"type": "bool", "default": True},
    "connect_timeout": {"type": "int", "default": 10},
}


def defaults_of(params: Mapping[str, Any]) -> Defaults:
    """What the options say of all machines.

    :param params: values of BMC_OPTIONS.
    """
    return Defaults(
        username=params["username"],
        password=params["password"],
        ca_file=params["ca_file"],
        validate_certs=params["validate_certs"],
    )


def bmc_of(machine: Machine, *, timeout: float, read_only: bool) -> Bmc:
    """The machine's BMC; nothing is sent yet.

    :param timeout: seconds for each call to it.
    """
    kind = RedfishBmc if machine.protocol == REDFISH else IpmiBmc
    return kind(machine, timeout=timeout, read_only=read_only)
