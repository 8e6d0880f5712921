# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A consumer that takes messages and does nothing with them: what anything else is compared with.

python bare_consumer.py URL_FILE EXCHANGE KEY [KEY ...]

Writes a line to standard error once it listens, and one for each message whose key is not the first.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import amqp


def main(url_file: str, exchange: str, first: str, *others: str) -> None:
    url = urlsplit(Path(url_file).read_text(encoding="utf-8").strip())
    connection = amqp.Connection(
        host=f"{url.hostname}:{url.port}",
        userid=url.username,
        password=url.password,
        virtual_host=url.path.lstrip("/"),
    )
    connection.connect()
    channel = connection.channel()
    queue = channel.queue_declare(exclusive=True).queue
    for key in (first, *others):
        channel.queue_bind(queue, exchange, key)

    def taken(message: Any) -> None:
        if message.delivery_info["routing_key"] != first:
            print(message.body, file=sys.stderr, flush=True)

    channel.basic_consume(queue, no_ack=True, callback=taken)
    print("listens", file=sys.stderr, flush=True)
    while True:
        connection.drain_events()


if __name__ == "__main__":
    main(*sys.argv[1:])
