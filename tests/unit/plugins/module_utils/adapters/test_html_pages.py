# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pages from templates."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.html_pages import (
    HtmlPages,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)


def test_every_value_is_escaped(tmp_path: Path) -> None:
    (tmp_path / "a.j2").write_text("<p title='{{ x }}'>{{ x }}{% include 'b.css' %}</p>")
    (tmp_path / "b.css").write_text("a > b")
    shown = HtmlPages(tmp_path).render("a.j2", {"x": "<b>'{{ 1 }}\""})
    assert shown == "<p title='&lt;b&gt;&#39;{{ 1 }}&#34;'>&lt;b&gt;&#39;{{ 1 }}&#34;a > b</p>"


@pytest.mark.parametrize("template", ["{{ unknown }}", "{% if %}", "{% include 'nothing' %}"])
def test_a_broken_template_is_an_error_and_no_half_page(tmp_path: Path, template: str) -> None:
    (tmp_path / "a.j2").write_text(template)
    with pytest.raises(RecoveryError) as raised:
        HtmlPages(tmp_path).render("a.j2", {})
    assert raised.value.code == "report_not_written"
