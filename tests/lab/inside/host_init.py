"""The first process of a libvirt host: `host_init.py HOST FOLDER MOUNT_POINT`.

Started in new namespaces, with process id 1 in its own. When it dies the kernel ends all that runs
in them: the host has lost its power. FOLDER is the host's disk, and all hosts see their own at
MOUNT_POINT. FOLDER/init.pid holds the process id that the outside knows, FOLDER/run/ready appears
when libvirtd and Open vSwitch listen.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

# Folder of the host's disk -> where programs look for it.
PLACES = {
    "etc-libvirt": "/etc/libvirt",
    "lib-libvirt": "/var/lib/libvirt",
    "cache-libvirt": "/var/cache/libvirt",
    "log-libvirt": "/var/log/libvirt",
    "run": "/run",
}
OVS_SOCKET = "/run/openvswitch/db.sock"
LIBVIRT_SOCKET = "/run/libvirt/libvirt-sock"
START_SECONDS = 60


def call(*command: str) -> None:
    subprocess.run(command, check=True)


def mount(host: str, folder: Path, mount_point: Path) -> None:
    shutil.rmtree(folder / "run", ignore_errors=True)  # a real one is empty after a boot
    for name in PLACES:
        (folder / name).mkdir(exist_ok=True)
    hosts = folder / "etc-hosts"
    hosts.write_text(f"127.0.0.1 localhost\n127.0.1.1 {host}\n")
    call("mount", "--bind", str(hosts), "/etc/hosts")
    call("mount", "--bind", str(folder), str(mount_point))
    for name, place in PLACES.items():
        call("mount", "--bind", str(folder / name), place)
    # Of this host's processes and network devices.
    call("mount", "-t", "proc", "proc", "/proc")
    call("mount", "-t", "sysfs", "sysfs", "/sys")


def start_daemons() -> None:
    for name in ("openvswitch", "libvirt"):
        Path("/run", name).mkdir()
    call("ovsdb-tool", "create", "/run/openvswitch/conf.db")
    subprocess.Popen(["ovsdb-server", "/run/openvswitch/conf.db", f"--remote=punix:{OVS_SOCKET}"])
    wait_for(OVS_SOCKET)
    call("ovs-vsctl", "--no-wait", "init")
    subprocess.Popen(["ovs-vswitchd", f"unix:{OVS_SOCKET}"])
    subprocess.Popen(["libvirtd"])
    wait_for(LIBVIRT_SOCKET)


def wait_for(path: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not Path(path).is_socket():
        if time.monotonic() > deadline:
            sys.exit(f"{path} did not appear")
        time.sleep(0.02)


def reap() -> None:
    """What its parents left behind belongs to the first process."""
    while True:
        try:
            os.wait()
        except ChildProcessError:
            sys.exit("nothing runs any more")


def main() -> None:
    host, folder, mount_point = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    # The /proc of the outside still, which knows this process by its id there.
    outside = Path("/proc/self").readlink().name
    if os.getpid() != 1:
        sys.exit("this has to be the first process of a namespace")
    socket.sethostname(host)
    mount(host, folder, mount_point)
    call("ip", "link", "set", "lo", "up")
    scratch = folder / "init.pid.new"
    scratch.write_text(f"{outside}\n")
    scratch.replace(folder / "init.pid")
    start_daemons()
    Path("/run/ready").touch()
    print(f"{host} runs", flush=True)
    reap()


if __name__ == "__main__":
    main()
