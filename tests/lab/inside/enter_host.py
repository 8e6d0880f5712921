"""Run a command on a libvirt host: `enter_host.py FOLDER COMMAND...`; waits until it has booted."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from openstack_lab.host_process import init_process

BOOT_SECONDS = 60
NAMESPACES = ("--mount", "--uts", "--ipc", "--net", "--pid")


def main() -> None:
    folder, command = Path(sys.argv[1]), sys.argv[2:]
    deadline = time.monotonic() + BOOT_SECONDS
    while True:
        init = init_process(folder)
        if init and (folder / "run" / "ready").exists():
            break
        if time.monotonic() > deadline:
            sys.exit("the host did not boot")
        time.sleep(0.1)
    os.execvp("nsenter", ["nsenter", f"--target={init}", *NAMESPACES, "--", *command])


if __name__ == "__main__":
    main()
