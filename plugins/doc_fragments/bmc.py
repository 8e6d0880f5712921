# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the options of BMCs; they are in adapters/bmc_connection.py."""

from __future__ import annotations


class ModuleDocFragment:
    """Used as C(openstack_recovery.nova.bmc)."""

    DOCUMENTATION = r"""
options:
  machines:
    description:
      - The BMC of each host, as a dictionary. Its keys are full host names, exactly as Nova shows
        them. They are compared whole, so two hosts with one short name never match each other.
      - C(redfish) is the address of the Redfish service, V(https://HOST) or V(https://HOST:PORT).
        C(ipmi) is that of IPMI over LAN, V(HOST) or V(HOST:PORT). One of them is needed.
      - C(system) is the id or the path of the Redfish system. It is needed when the BMC has several.
      - C(username), C(password), C(ca_file) and C(validate_certs) replace the options of the same
        name for this machine.
      - C(serial_number) and C(host_name) are what the BMC must say of its machine, else nothing is
        sent to it (error code C(wrong_machine)). Over IPMI only the serial number can be asked for.
      - A map in which two hosts have one machine is an error. So is a word that is not in this list.
    type: dict
    required: true
  username:
    description:
      - User of the BMCs.
    type: str
  password:
    description:
      - Password of that user.
    type: str
  ca_file:
    description:
      - Path of a bundle of CA certificates to verify Redfish services with.
    type: path
  validate_certs:
    description:
      - Whether to verify the TLS certificates of Redfish services.
    type: bool
    default: true
  connect_timeout:
    description:
      - Time-out of each call to a BMC, in seconds, to connect as well as to answer.
    type: int
    default: 10
requirements:
  - python >= 3.11
  - sushy >= 5.8.0 for Redfish
  - the C(ipmitool) command for IPMI
notes:
  - A Redfish service is logged in to with HTTP basic authentication, so that to look changes nothing
    on it. An address without TLS is refused.
  - Passwords are masked in all that is returned or logged, also those in O(machines). ipmitool is
    given its password by the environment.
"""
