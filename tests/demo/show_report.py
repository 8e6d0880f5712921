# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prints the table of a report that evacuate_host has written."""

from __future__ import annotations

import importlib
import json
import os
import sys
from pathlib import Path

# The table is the installed collection's own.
sys.path.insert(0, os.environ["ANSIBLE_COLLECTIONS_PATH"].split(":")[0])
MODULE_UTILS = "ansible_collections.openstack_recovery.nova.plugins.module_utils"

report = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
tables = importlib.import_module(f"{MODULE_UTILS}.domain.evacuation.report")
print("\n".join(tables.evacuation_table(report["instances"])))
