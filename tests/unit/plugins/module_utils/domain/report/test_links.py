# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Links to the logs of requests."""

from __future__ import annotations

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.report.links import (
    RequestLinks,
)


def test_the_id_is_put_in_its_place() -> None:
    links = RequestLinks("https://logs.example.com/{request_id}?q={request_id}")
    assert links.of("req-1") == "https://logs.example.com/req-1?q=req-1"
    assert links.of('a" b/&') == "https://logs.example.com/a%22%20b%2F%26?q=a%22%20b%2F%26"
    assert RequestLinks().of("req-1") is None


@pytest.mark.parametrize(
    "template", ["javascript:alert({request_id})", "logs/{request_id}", "https://logs.example.com/"]
)
def test_what_is_no_link_is_refused(template: str) -> None:
    with pytest.raises(RecoveryError) as raised:
        RequestLinks(template)
    assert raised.value.code == "invalid_options"


@pytest.mark.parametrize("login", ["watcher:secret", "secret"])
def test_a_password_is_refused_and_not_told(login: str) -> None:
    with pytest.raises(RecoveryError) as raised:
        RequestLinks(f"https://{login}@logs.example.com/{{request_id}}")
    assert raised.value.code == "invalid_options"
    assert "secret" not in raised.value.message


@pytest.mark.parametrize("end", ["/a@b/{request_id}", "?by=a@b&q={request_id}"])
def test_an_at_sign_elsewhere_is_no_password(end: str) -> None:
    assert RequestLinks(f"https://logs.example.com{end}").of("r") is not None
