# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An HTTPS server on the loopback whose certificate nobody knows; writes its port to a file."""

from __future__ import annotations

import http.server
import ssl
import sys
from pathlib import Path

certificate, key, port_file = sys.argv[1:]
server = http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)
server.socket = context.wrap_socket(server.socket, server_side=True)
Path(port_file).write_text(str(server.server_address[1]), encoding="utf-8")
server.serve_forever()
