# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""python3 -m making_room FOLDER      room is made for instances that wait; files are left in the folder"""

from __future__ import annotations

import sys
from pathlib import Path

from .proof import prove

if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    prove(Path(sys.argv[1]))
