# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A list of Nova's is read whole, however its pages fall."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.nova_lists import (
    all_of,
)
from fakes.nova_lists import page
from hypothesis import given
from hypothesis import strategies as st


def nova(name: str, entries: list[dict[str, str]], **paging: Any) -> tuple[Any, list[Any]]:
    asked: list[Any] = []

    def read(_proxy: Any, path: str, microversion: str | None) -> Any:
        asked.append((path, microversion))
        return page(name, entries, path, **paging)

    return SimpleNamespace(sdk=SimpleNamespace(compute=None), read=read), asked


@given(count=st.integers(0, 20), max_limit=st.integers(1, 25), left_out=st.sets(st.integers(0, 19)))
def test_all_are_read_that_nova_shows(count: int, max_limit: int, left_out: set[int]) -> None:
    entries = [{"id": str(number)} for number in range(count)]
    # The last one on each page is shown: Nova says nothing of a page that it left out whole.
    hidden = {str(number) for number in left_out if (number + 1) % max_limit}
    connection, _asked = nova("servers", entries, max_limit=max_limit, left_out=hidden)
    found = [entry["id"] for entry in all_of(connection, "/servers/detail")]
    assert found == [entry["id"] for entry in entries if entry["id"] not in hidden]


def test_the_query_stays_the_same_on_each_page() -> None:
    connection, asked = nova("hypervisors", [{"id": "a"}, {"id": "b"}], max_limit=1)
    assert len(list(all_of(connection, "/os-hypervisors/detail", "2.87", with_servers="1"))) == 2
    first = "/os-hypervisors/detail?with_servers=1"
    assert asked == [(first + more, "2.87") for more in ("", "&marker=a", "&marker=b")]
