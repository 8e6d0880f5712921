# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Nova's lists, in pages as it makes them."""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlsplit


def page(
    name: str,
    entries: Sequence[Any],
    path: str,
    *,
    max_limit: int = 1000,
    left_out: Container[str] = (),
) -> dict[str, Any]:
    """What Nova answers to this path.

    :param left_out: ids of entries that count for the page and are not shown.
    """
    query = dict(parse_qsl(urlsplit(path).query))
    size = min(int(query.get("limit") or max_limit), max_limit)
    if name == "server_groups":
        # Without a link, and without a marker.
        first = int(query.get("offset") or 0)
        return {name: entries[first : first + size]}
    first = 0
    if "marker" in query:
        first = [entry["id"] for entry in entries].index(query["marker"]) + 1
    counted = entries[first : first + size]
    shown = [entry for entry in counted if entry.get("id") not in left_out]
    answer: dict[str, Any] = {name: shown}
    if len(shown) == size:
        answer[f"{name}_links"] = [{"rel": "next", "href": "x"}]
    return answer
