# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The BMC that the options describe."""

from __future__ import annotations

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.bmc_connection import (
    BMC_OPTIONS,
    bmc_of,
    defaults_of,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.ipmi import (
    IpmiBmc,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.redfish import (
    RedfishBmc,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.power.machine import (
    find_machine,
)


@pytest.mark.parametrize(
    ("options", "kind"),
    [({"redfish": "https://10.0.0.1"}, RedfishBmc), ({"ipmi": "10.0.0.1"}, IpmiBmc)],
)
def test_the_protocol_decides(options: dict[str, str], kind: type) -> None:
    params = {name: option.get("default") for name, option in BMC_OPTIONS.items()}
    params |= {"username": "u", "password": "p"}
    machine = find_machine("x", {"x": options}, None, defaults_of(params))
    assert machine.validate_certs
    assert isinstance(bmc_of(machine, timeout=1, read_only=True), kind)
