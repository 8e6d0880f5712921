# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the connection options; the options are in adapters/openstack_connection.py."""

from __future__ import annotations


class ModuleDocFragment:
    """Used as C(openstack_recovery.nova.openstack)."""

    DOCUMENTATION = r"""
options:
  cloud:
    description:
      - Name of a cloud in C(clouds.yaml), or a whole cloud configuration as a dictionary.
      - Not needed when O(auth) is given or the C(OS_*) environment variables are set.
    type: raw
  auth:
    description:
      - Credentials as the authentication plugin needs them, for example C(auth_url), C(username),
        C(password), C(project_name) and the domains.
    type: dict
  auth_type:
    description:
      - Name of the authentication plugin, when it is not C(password).
    type: str
  region_name:
    description:
      - Name of the region.
    type: str
  wait:
    description:
      - Whether to wait for the result.
    type: bool
    default: true
  timeout:
    description:
      - How long to wait for the result, in seconds.
    type: int
    default: 180
  api_timeout:
    description:
      - Time-out of one API call on the socket, in seconds. Without it 60 seconds are used.
    type: int
  validate_certs:
    description:
      - Whether to verify the TLS certificates of the APIs.
    type: bool
    aliases: [verify]
  ca_cert:
    description:
      - Path of a bundle of CA certificates to verify the APIs with.
    type: str
    aliases: [cacert]
  client_cert:
    description:
      - Path of a client certificate for the TLS connection.
    type: str
    aliases: [cert]
  client_key:
    description:
      - Path of the key of O(client_cert).
    type: str
    aliases: [key]
  interface:
    description:
      - Which endpoint to take from the service catalog.
    type: str
    choices: [admin, internal, public]
    default: public
    aliases: [endpoint_type]
  sdk_log_path:
    description:
      - File for the log of openstacksdk. Without it nothing is logged.
    type: str
  sdk_log_level:
    description:
      - Level of that log.
    type: str
    default: INFO
    choices: [INFO, DEBUG]
requirements:
  - python >= 3.11
  - openstacksdk >= 4.0.0
notes:
  - The connection options are those of the C(openstack.cloud) collection, with its aliases and
    defaults. Credentials come from C(clouds.yaml) (current directory, C(~/.config/openstack) or
    C(/etc/openstack)), the C(OS_*) environment or the options, the last of these first.
  - Every compute call is pinned to API microversion 2.93, which all releases since Zed serve.
"""
