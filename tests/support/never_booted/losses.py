# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a buried instance was to get, and cannot get any more.

python3 -m never_booted.losses volume NAME    deletes it
python3 -m never_booted.losses image NAME     deletes it
python3 -m never_booted.losses port NAME      gives it to another instance
"""

from __future__ import annotations

import sys
import uuid

import openstack
from lab_access import connect

from .cloud import SECONDS


def lose_volume(name: str) -> None:
    """As an administrator can: Cinder itself refuses to delete a volume that is reserved."""
    storage = connect().block_storage
    (volume,) = connect("-demo").block_storage.volumes(name=name)
    answer = storage.get(
        "/attachments", params={"volume_id": volume.id, "all_tenants": True}, microversion="3.27"
    )
    for attachment in answer.json()["attachments"]:
        gone = storage.delete(f"/attachments/{attachment['id']}", microversion="3.27")
        openstack.exceptions.raise_from_response(gone)
    storage.wait_for_status(volume, "available", interval=1, wait=SECONDS)
    storage.delete_volume(volume.id)
    storage.wait_for_delete(volume, interval=1, wait=SECONDS)


def lose_image(name: str) -> None:
    images = connect("-demo").image
    images.delete_image(images.find_image(name, ignore_missing=False))


def give_port_away(name: str) -> None:
    """As Nova does when an instance gets it; a buried one holds no port."""
    network = connect().network
    port = network.find_port(name, ignore_missing=False)
    network.update_port(port, device_id=str(uuid.uuid4()), device_owner="compute:nova")


def main(arguments: list[str]) -> None:
    match arguments:
        case ["volume", name]:
            lose_volume(name)
        case ["image", name]:
            lose_image(name)
        case ["port", name]:
            give_port_away(name)
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
