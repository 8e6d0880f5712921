# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A message broker on a socket, with as much of AMQP 0-9-1 as is used.

That is a passive look and one message that is published, and a consumer of a queue of its own.
"""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
from typing import Any

_START, _TUNE, _OPEN_OK, _CLOSE, _CLOSE_OK = (10, 10), (10, 30), (10, 41), (10, 50), (10, 51)
_START_OK, _OPEN = (10, 11), (10, 40)
_CHANNEL_OPEN, _CHANNEL_OPEN_OK, _CHANNEL_CLOSE = (20, 10), (20, 11), (20, 40)
_EXCHANGE_DECLARE, _QUEUE_DECLARE, _CONFIRM = (40, 10), (50, 10), (85, 10)
_PUBLISH, _RETURN, _ACK, _NACK = (60, 40), (60, 50), (60, 80), (60, 120)
_BIND, _QOS, _CONSUME, _DELIVER = (50, 20), (60, 10), (60, 20), (60, 60)


class FakeBroker:
    """Behaves well unless told otherwise.

    :ivar refuse: by the method's numbers, an AMQP error (code, text) as the answer to it.
    :ivar on_publish: ack, nack, return, cut (the connection), silence, or refuse (404).
    :ivar silent: never says a word.
    :ivar deliveries: routing keys and bodies that every consumer gets.
    :ivar cut_consumers: how many consumers' connections are cut after that.
    """

    def __init__(self) -> None:
        self.refuse: dict[tuple[int, int], tuple[int, str]] = {}
        self.on_publish = "ack"
        self.silent = False
        self.ready, self.consumers = 0, 1
        self.connections = 0
        self.logins: list[bytes] = []
        self.declared: list[bytes] = []
        self.published: list[dict[str, Any]] = []
        self.mandatory: list[bool] = []
        self.deliveries: list[tuple[str, str]] = []
        self.cut_consumers = 0
        self.bound: list[bytes] = []
        self.acknowledged = self.heartbeats = 0
        self._server = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self._server.getsockname()[1]}"

    def close(self) -> None:
        self._server.close()

    def _serve(self) -> None:
        while True:
            try:
                client, _address = self._server.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._talk, args=(client,), daemon=True).start()

    def _talk(self, client: socket.socket) -> None:
        # Who was told enough goes away in the middle.
        with contextlib.suppress(OSError), client, client.makefile("rb") as stream:
            stream.read(8)
            if self.silent:
                stream.read(1)
                return
            _send(
                client, 0, _START, b"\0\x09" + _table() + _long("AMQPLAIN PLAIN") + _long("en_US")
            )
            while True:
                frame = _read(stream, self)
                if frame is None or not self._answer(client, stream, *frame):
                    return

    def _answer(self, client: socket.socket, stream: Any, channel: int, payload: bytes) -> bool:
        method = struct.unpack(">HH", payload[:4])
        error = self.refuse.get(method)
        if error is not None:
            closing = _CLOSE if method[0] == 10 else _CHANNEL_CLOSE
            _send(client, channel, closing, _error(error, method))
            return True
        if method == _PUBLISH:
            return self._take(client, stream, channel, payload)
        if method == _CONSUME:
            return self._deliver(client, channel)
        if method == _ACK:
            self.acknowledged += 1
        if method in (_EXCHANGE_DECLARE, _QUEUE_DECLARE):
            self.declared.append(payload)
        if method == _BIND:
            self.bound.append(payload)
        if method == _START_OK:
            self.logins.append(payload)
        answers = {
            _START_OK: (_TUNE, struct.pack(">HIH", 0, 131072, 60)),
            _OPEN: (_OPEN_OK, _short("")),
            _CHANNEL_OPEN: (_CHANNEL_OPEN_OK, _long("")),
            _EXCHANGE_DECLARE: ((40, 11), b""),
            _QUEUE_DECLARE: (
                (50, 11),
                _short("conductor") + struct.pack(">II", self.ready, self.consumers),
            ),
            _BIND: ((50, 21), b""),
            _QOS: ((60, 11), b""),
            _CONFIRM: ((85, 11), b""),
            _CLOSE: (_CLOSE_OK, b""),
            _CHANNEL_CLOSE: ((20, 41), b""),
        }
        if method in answers:
            _send(client, channel, *answers[method])
        return method != _CLOSE

    def _deliver(self, client: socket.socket, channel: int) -> bool:
        _send(client, channel, (60, 21), _short("tag"))
        for number, (key, text) in enumerate(self.deliveries, 1):
            place = _short("tag") + struct.pack(">QB", number, 0) + _short("nova") + _short(key)
            _send(client, channel, _DELIVER, place)
            body = text.encode()
            # Of the properties only the encoding, as oslo.messaging sends it.
            properties = struct.pack(">HHQH", 60, 0, len(body), 1 << 14) + _short("utf-8")
            client.sendall(_frame(2, channel, properties) + _frame(3, channel, body))
        self.cut_consumers -= 1
        return self.cut_consumers < 0

    def _take(self, client: socket.socket, stream: Any, channel: int, payload: bytes) -> bool:
        _channel, header = _read(stream) or (0, b"")
        size, body = struct.unpack(">Q", header[4:12])[0], b""
        while len(body) < size:
            body += (_read(stream) or (0, b"\0" * size))[1]
        if self.on_publish == "cut":
            return False
        self.published.append(json.loads(body))
        self.mandatory.append(bool(payload[-1] & 1))
        if self.on_publish == "silence":
            return True
        if self.on_publish == "refuse":
            _send(
                client, channel, _CHANNEL_CLOSE, _error((404, "NOT_FOUND - no exchange"), _PUBLISH)
            )
            return True
        if self.on_publish == "return":
            text = (
                struct.pack(">H", 312) + _short("NO_ROUTE") + _short("nova") + _short("conductor")
            )
            _send(client, channel, _RETURN, text)
            client.sendall(_frame(2, channel, struct.pack(">HHQH", 60, 0, 2, 0)))
            client.sendall(_frame(3, channel, b"{}"))
        answer = _NACK if self.on_publish == "nack" else _ACK
        _send(client, channel, answer, struct.pack(">QB", 1, 0))
        return True


def _read(stream: Any, broker: FakeBroker | None = None) -> tuple[int, bytes] | None:
    header = stream.read(7)
    if len(header) < 7:
        return None
    kind, channel, size = struct.unpack(">BHI", header)
    payload = stream.read(size + 1)[:-1]
    if kind != 8:
        return channel, payload
    if broker is not None:
        broker.heartbeats += 1
    return _read(stream, broker)


def _frame(kind: int, channel: int, payload: bytes) -> bytes:
    return struct.pack(">BHI", kind, channel, len(payload)) + payload + b"\xce"


def _send(client: socket.socket, channel: int, method: tuple[int, ...], arguments: bytes) -> None:
    client.sendall(_frame(1, channel, struct.pack(">HH", *method) + arguments))


def _error(error: tuple[int, str], method: tuple[int, ...]) -> bytes:
    return struct.pack(">H", error[0]) + _short(error[1]) + struct.pack(">HH", *method)


def _short(text: str) -> bytes:
    return struct.pack(">B", len(text)) + text.encode()


def _long(text: str) -> bytes:
    return struct.pack(">I", len(text)) + text.encode()


def _table() -> bytes:
    return struct.pack(">I", 0)
