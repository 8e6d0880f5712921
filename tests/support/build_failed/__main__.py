# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""python3 -m build_failed bus              what the sources do to RabbitMQ, and what not
python3 -m build_failed keep FOLDER      builds fail, and ansible-rulebook keeps what was requested
python3 -m build_failed compare FOLDER   those that were rebuilt have what they requested
"""

from __future__ import annotations

import sys
from pathlib import Path

from . import bus, requested


def main(arguments: list[str]) -> None:
    match arguments:
        case ["bus"]:
            bus.prove()
        case ["keep", folder]:
            requested.keep(Path(folder))
        case ["compare", folder]:
            requested.compare(Path(folder))
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
