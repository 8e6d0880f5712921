#!/usr/bin/python
# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: power_state
short_description: Switch a host off or on by its BMC, or look whether it is on
version_added: 0.3.0
author:
  - openstack_recovery.nova contributors (@openstack-recovery)
description:
  - Brings the machine of a host on or off over Redfish or IPMI. What counts is the power state that is
    observed, twice in a row, never that the BMC has taken a command.
  - A machine that is in the wanted state already is left alone.
  - To switch off is to cut the power (V(ForceOff), C(chassis power off)). A shutdown would need an
    operating system that still works.
  - Nothing is sent to a machine whose serial number or host name is not the one in O(machines).
options:
  host:
    description:
      - Full host name, exactly as Nova shows it and as O(machines) has it.
    type: str
    required: true
  protocol:
    description:
      - Which address of the machine to use. Needed only when it has both.
    type: str
    choices: [redfish, ipmi]
  state:
    description:
      - The wanted power state. V(gathered) looks once and changes nothing.
    type: str
    choices: ['off', 'on', gathered]
    default: gathered
  timeout:
    description:
      - Seconds until the wanted state must have been observed.
    type: int
    default: 60
  poll_interval:
    description:
      - Seconds between two looks.
    type: float
    default: 2
extends_documentation_fragment:
  - openstack_recovery.nova.bmc
attributes:
  check_mode:
    support: full
    description: Looks once, and sends nothing that changes something.
  diff_mode:
    support: full
    description: Shows the power state before and after.
"""

EXAMPLES = r"""
- name: Cut the power of compute-1
  openstack_recovery.nova.power_state:
    host: compute-1.example.com
    state: 'off'
    machines:
      compute-1.example.com:
        redfish: https://10.0.9.11
        serial_number: 7XK2B43
      compute-2.example.com:
        ipmi: 10.0.9.12
    username: fencing
    password: "{{ vault_bmc_password }}"
    ca_file: /etc/ssl/certs/bmc-ca.pem

- name: Is it on?
  openstack_recovery.nova.power_state:
    host: compute-1.example.com
    machines: "{{ machines }}"
  register: found
"""

RETURN = r"""
power:
  description: What the BMC says.
  returned: success
  type: dict
  contains:
    observed:
      description: V(on), V(off), or V(unknown) for all between and beyond.
      type: str
      sample: 'off'
    reported:
      description: The BMC's own word, for example V(PoweringOff).
      type: str
      sample: 'Off'
    before:
      description: What was observed first.
      type: str
      sample: 'on'
    observed_at:
      description: When O(ignore:observed) was seen.
      type: str
      sample: '2026-03-01T02:15:09+00:00'
    source:
      description: Over which protocol.
      type: str
      sample: redfish
    machine:
      description:
        - The C(address) of the BMC, and what it says of its machine - C(system), C(serial_number),
          C(host_name), C(manufacturer) and C(model). Over IPMI only where a serial number is to be
          compared.
      type: dict
      sample:
        address: 10.0.9.11:443
        system: /redfish/v1/Systems/1
        serial_number: 7XK2B43
        host_name: compute-1.example.com
        manufacturer: Contoso
        model: R1
error:
  description: What went wrong.
  returned: failure
  type: dict
  contains:
    code:
      description:
        - One of C(host_not_in_map), C(duplicate_machine), C(invalid_options), C(bmc_unreachable),
          C(bmc_auth_failed), C(bmc_refused), C(system_not_found), C(wrong_machine),
          C(power_state_not_reached), C(tls_error), C(ipmitool_missing).
      type: str
    retriable:
      description: Whether running the same task later can succeed.
      type: bool
    details:
      description: The facts behind the message.
      type: dict
    request_id:
      description: Not used here.
      type: str
"""

from typing import Any

from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.bmc_connection import (
    BMC_OPTIONS,
    bmc_of,
    defaults_of,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.redfish import (
    SUSHY_IMPORT_ERROR,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.clock import (
    SystemClock,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.power.bmc import (
    OFF,
    ON,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.power.machine import (
    PROTOCOLS,
    REDFISH,
    find_machine,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.power.switching import (
    PowerSwitch,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.recovery_module import (
    Wiring,
)

OPTIONS = {
    "host": {"type": "str", "required": True},
    "protocol": {"type": "str", "choices": list(PROTOCOLS)},
    "state": {"type": "str", "choices": [OFF, ON, "gathered"], "default": "gathered"},
    "timeout": {"type": "int", "default": 60},
    "poll_interval": {"type": "float", "default": 2},
}


def bring_power(module: Wiring) -> dict[str, Any]:
    params = module.params
    for name, least in (("timeout", 0), ("poll_interval", 0), ("connect_timeout", 1)):
        if params[name] < least:
            raise RecoveryError("invalid_options", f"{name} must be at least {least}")
    machine = find_machine(
        params["host"], params["machines"], params["protocol"], defaults_of(params)
    )
    if machine.protocol == REDFISH:
        module.need(("sushy", SUSHY_IMPORT_ERROR))
    wanted = None if params["state"] == "gathered" else params["state"]
    read_only = wanted is None or module.check_mode
    switch = PowerSwitch(
        bmc_of(machine, timeout=params["connect_timeout"], read_only=read_only),
        machine,
        SystemClock(),
        timeout=params["timeout"],
        poll_interval=params["poll_interval"],
    )
    found = switch.look(wanted) if read_only or wanted is None else switch.bring_to(wanted)
    after = wanted if found.changed else found.now.state
    return {
        "changed": found.changed,
        "power": found.as_dict(),
        "diff": {"before": {"power": found.before.state}, "after": {"power": after}},
    }


def main() -> None:
    module = Wiring({**BMC_OPTIONS, **OPTIONS})
    module.finish(lambda: bring_power(module))


if __name__ == "__main__":
    main()
