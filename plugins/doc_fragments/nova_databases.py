# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the options of Nova's databases; they are in adapters/nova_conf.py."""

from __future__ import annotations


class ModuleDocFragment:
    """Used as C(openstack_recovery.nova.nova_databases)."""

    DOCUMENTATION = r"""
options:
  nova_conf:
    description:
      - Configuration files of a controller's Nova, and folders of C(*.conf) files, in the order in
        which Nova reads them with C(--config-file) and C(--config-dir). The last one wins.
      - They say where Nova's API database and message bus are, so that no password stands in a
        playbook. Read on the machine where the module runs.
      - An empty list reads nothing; the other options must say all that is needed then.
    type: list
    elements: path
    default: [/etc/nova/nova.conf]
  api_database:
    description:
      - URL of Nova's API database, for example C(mysql+pymysql://user:password@host/nova_api).
        Replaces C([api_database]connection).
      - The URLs of the cells' databases are read there.
    type: str
  cell_database:
    description:
      - URL of a cell's database that the templates in Nova's cell mappings are filled from.
        Replaces C([database]connection). Not needed where the mappings hold plain URLs.
    type: str
  transport_url:
    description:
      - URL of the message bus of Nova's API and super-conductor, for example
        C(rabbit://user:password@host/nova). Replaces C([DEFAULT]transport_url).
    type: str
  journal_schema:
    description:
      - Schema of this collection's journal, on the server of cell0's database.
    type: str
    default: nova_recovery
  allow_untested_release:
    description:
      - Go on, with a warning, where the databases or the services are of a release of Nova that this
        collection was never tested on.
    type: bool
    default: false
requirements:
  - python >= 3.11
  - PyMySQL >= 1.1.0
  - oslo.config
notes:
  - Runs on a controller, or wherever Nova's databases can be reached. Only MySQL and MariaDB are
    supported.
  - Passwords in URLs, whether given or read, are masked in all that is returned or logged.
"""
