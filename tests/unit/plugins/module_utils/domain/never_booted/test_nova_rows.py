# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can be asked of rows and cells."""

from __future__ import annotations

from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.nova_rows import (
    CELL0_UUID,
    Cell,
    InstanceRows,
)

ROWS = InstanceRows(
    instance_uuid="u",
    tables={
        "instances": ({"uuid": "u"},),
        "instance_faults": ({"id": 1, "deleted": 1}, {"id": 2, "deleted": 0}, {"id": 3}),
        "instance_extra": ({"id": 4, "deleted": 4},),
    },
)


def test_cell0_is_told_by_its_uuid() -> None:
    assert Cell(id=7, uuid=CELL0_UUID, name="any").is_cell0
    assert not Cell(id=1, uuid="other", name="cell0").is_cell0


def test_a_cell_has_a_name_for_people() -> None:
    assert Cell(id=1, uuid="u", name="west").label == "west"
    assert Cell(id=1, uuid="u").label == "u"
    assert Cell(id=1, uuid=CELL0_UUID).label == "cell0"


def test_soft_deleted_rows_are_not_live() -> None:
    assert [row["id"] for row in ROWS.live("instance_faults")] == [2, 3]
    assert len(ROWS.all("instance_faults")) == 3
    assert ROWS.one("instance_extra") is None
    assert ROWS.one("instance_faults") == {"id": 2, "deleted": 0}


def test_a_table_without_rows_may_be_left_out() -> None:
    assert ROWS.all("tags") == ()
    assert list(ROWS.live("tags")) == []
    assert ROWS.one("tags") is None
    assert ROWS.instance == {"uuid": "u"}
