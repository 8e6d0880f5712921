# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lists of Nova's, whole."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from .openstack_connection import CloudConnection

# From here on a group has one policy, with rules: how many members a host may have.
_GROUPS_MICROVERSION = "2.64"
# These know no marker, and never say that more follow.
_BY_OFFSET = frozenset({"server_groups"})


def all_of(
    connection: CloudConnection, path: str, microversion: str | None = None, **filters: str
) -> Iterator[Any]:
    """Every entry of a list, however many Nova puts on a page (``max_limit``).

    A short page, or one without a link to the next, is not always the last: Nova counts first and
    leaves entries out afterwards. So this goes on until a page is empty.

    :param path: ends with what the answer calls the list, or with that and ``/detail``.
    :param microversion: instead of the connection's own.
    """
    name = path.strip("/").partition("/")[0].removeprefix("os-").replace("-", "_")
    query = dict(filters)
    read = 0
    while True:
        asked = f"{path}?{urlencode(query)}" if query else path
        page = connection.read(connection.sdk.compute, asked, microversion)[name]
        if not page:
            return
        yield from page
        read += len(page)
        query |= {"offset": str(read)} if name in _BY_OFFSET else {"marker": page[-1]["id"]}


def server_groups(connection: CloudConnection) -> Iterator[Any]:
    """Those of all projects, with members and rules."""
    return all_of(connection, "/os-server-groups", _GROUPS_MICROVERSION, all_projects="true")
