# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A BMC that speaks IPMI 2.0 on the loopback: pyghmi's, which has nothing to do with ipmitool.

Arguments: folder, user, password, serial number, seconds until the switch takes effect. The port is
written to ipmi.port in the folder.
"""

from __future__ import annotations

import os
import socket
import sys
import threading
from pathlib import Path
from typing import Any

from pyghmi.ipmi import bmc

# As the IPMI FRU specification lays out an inventory: a header, then one area for the product.
_INVENTORY = (0x0A, 0x10)
_READ_INVENTORY = (0x0A, 0x11)


def _checked(content: bytes) -> bytes:
    """Filled to eight bytes, the last of which makes the sum nought."""
    content += bytes(-(len(content) + 1) % 8)
    return content + bytes([-sum(content) % 256])


def inventory(serial_number: str) -> bytes:
    fields = ("Contoso", "R1", "", "", serial_number)
    texts = b"".join(bytes([0xC0 | len(text)]) + text.encode() for text in fields) + b"\xc1"
    length = (3 + len(texts)) // 8 + 1
    area = _checked(bytes([1, length, 25]) + texts)
    return _checked(bytes([1, 0, 0, 0, 1, 0])) + area


class Bmc(bmc.Bmc):  # type: ignore[misc]
    def __init__(self, users: dict[str, str], port: int, serial_number: str, delay: float) -> None:
        super().__init__(users, port=port, address="127.0.0.1")
        self._state = "on"
        self._delay = delay
        self._inventory = inventory(serial_number)

    def get_power_state(self) -> str:
        return self._state

    def power_off(self) -> None:
        self._later("off")

    def power_on(self) -> None:
        self._later("on")

    def _later(self, state: str) -> None:
        timer = threading.Timer(self._delay, setattr, (self, "_state", state))
        timer.daemon = True
        timer.start()

    def handle_raw_request(self, request: dict[str, Any], session: Any) -> Any:
        asked = (request["netfn"], request["command"])
        data = request["data"]
        if asked == _INVENTORY:
            return session.send_ipmi_response(data=[len(self._inventory), 0, 0])
        if asked == _READ_INVENTORY:
            start = data[1] | data[2] << 8
            part = self._inventory[start : start + data[3]]
            return session.send_ipmi_response(data=[len(part), *part])
        return super().handle_raw_request(request, session)


folder, user, password, serial, seconds = sys.argv[1:]
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
    # It cannot be told to take any port.
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
server = Bmc({user: password}, port, serial, float(seconds))
Path(folder, "ipmi.pid").write_text(str(os.getpid()), encoding="utf-8")
Path(folder, "ipmi.port").write_text(str(port), encoding="utf-8")
server.listen()
