# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The codes of never-booted instances; test_guidance.py compares all of them with what is said."""

from __future__ import annotations

from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.report import guidance
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.report.guidance_rebuild import (
    REBUILD,
)


def test_no_code_is_explained_twice() -> None:
    names = [name for name in vars(guidance) if name.startswith("_") and name.isupper()]
    tables = [*(getattr(guidance, name) for name in names), REBUILD]
    assert len(names) > 5
    assert sum(len(table) for table in tables) == len(guidance.GUIDANCE)
