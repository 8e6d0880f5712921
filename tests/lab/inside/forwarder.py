"""A cable of a libvirt host: hands on TCP connections, and ends with the host.

    forwarder.py into FOLDER PORT...         the host's loopback -> the same ports outside
    forwarder.py out-of FOLDER PORT SOCKET   a port outside -> a unix socket of the host

Ending it closes every connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import socket
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from openstack_lab.host_process import init_process

CLONE_NEWNET = 0x40000000
BOOT_SECONDS = 60
BUFFER = 65536


def enter_network(path: str) -> None:
    """Python has os.setns from 3.12 on only."""
    libc = ctypes.CDLL(None, use_errno=True)
    handle = os.open(path, os.O_RDONLY)
    try:
        if libc.setns(handle, CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns", path)
    finally:
        os.close(handle)


def listener(port: int) -> socket.socket:
    return socket.create_server(("127.0.0.1", port), backlog=64)


def listeners_inside(init: int, ports: list[int]) -> list[socket.socket]:
    """A socket stays in the network that it was made in."""
    own = os.open("/proc/self/ns/net", os.O_RDONLY)
    enter_network(f"/proc/{init}/ns/net")
    try:
        return [listener(port) for port in ports]
    finally:
        enter_network(f"/proc/self/fd/{own}")
        os.close(own)


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(BUFFER):
            writer.write(data)
            await writer.drain()
    with contextlib.suppress(OSError):
        writer.write_eof()


async def serve(where: socket.socket, port: int, unix: str | None) -> asyncio.Server:
    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if unix:
                far = await asyncio.open_unix_connection(unix)
            else:
                far = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            writer.close()
            return
        await asyncio.gather(copy(reader, far[1]), copy(far[0], writer))
        for end in (writer, far[1]):
            end.close()

    return await asyncio.start_server(connected, sock=where)


async def run(init: int, sockets: list[socket.socket], unix: str | None) -> None:
    servers = [await serve(where, where.getsockname()[1], unix) for where in sockets]
    print(f"{len(servers)} ports", flush=True)
    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(os.pidfd_open(init), ended.set)
    await ended.wait()
    print("the host has lost its power", flush=True)
    # Not by return: connections would be waited for.
    os._exit(0)


def main() -> None:
    direction, folder, *words = sys.argv[1:]
    deadline = time.monotonic() + BOOT_SECONDS
    while not (init := init_process(Path(folder))):
        if time.monotonic() > deadline:
            sys.exit("the host did not boot")
        time.sleep(0.05)
    if direction == "into":
        sockets, unix = listeners_inside(init, [int(word) for word in words]), None
    else:
        sockets, unix = [listener(int(words[0]))], words[1]
    asyncio.run(run(init, sockets, unix))


if __name__ == "__main__":
    main()
