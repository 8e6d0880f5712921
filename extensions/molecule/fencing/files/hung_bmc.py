# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A BMC that has hung: the kernel takes connections on the loopback, and nobody ever reads them.

And a host that is off: with its backlog full, the kernel drops whatever comes.
Argument: a folder, in which hung.port and silent.port will be.
"""

from __future__ import annotations

import os
import socket
import sys
import threading
from pathlib import Path

folder = Path(sys.argv[1])
with (
    socket.create_server(("127.0.0.1", 0)) as server,
    socket.create_server(("127.0.0.1", 0), backlog=0) as silent,
    socket.create_connection(silent.getsockname()),
):
    (folder / "hung.pid").write_text(str(os.getpid()), encoding="utf-8")
    (folder / "silent.port").write_text(str(silent.getsockname()[1]), encoding="utf-8")
    (folder / "hung.port").write_text(str(server.getsockname()[1]), encoding="utf-8")
    threading.Event().wait()
