# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which instances are rewritten, together with their preparation."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.clock import (
    SystemClock,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.another_build import (
    Replacement,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.batch_run import (
    apply_to_all,
    look_at_all,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.preparer import (
    Preparer,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.refusal import (
    Refusal,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.restoration import (
    Restorer,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.rewriting import (
    Rewriting,
    plan_rewrites,
)
from fakes.another_build import Twin
from fakes.buried_instance import AUTHOR
from fakes.nova_databases import CELL0, Cut, FakeDatabases

TWIN = Twin.load()
UUID = TWIN.rows.instance_uuid
WANTED = Replacement(image=TWIN.image, flavor=TWIN.flavor)


def databases(*, atomic: bool = True) -> FakeDatabases:
    made = FakeDatabases(atomic=atomic)
    tables = {name: [dict(row) for row in rows] for name, rows in TWIN.rows.tables.items()}
    made.add(UUID, tables, TWIN.spec.dumps(), cell_id=CELL0)
    return made


def prepare(made: FakeDatabases, wanted: Replacement = WANTED) -> tuple[Rewriting, Any]:
    """As the module does it: the plan, and the outcome or the refusal."""
    plan = plan_rewrites(made, [UUID, "unknown"], wanted)
    worker = Preparer(made, AUTHOR, rewrites=plan.rewrites)
    found = look_at_all(worker, [UUID])
    if isinstance(found[UUID], Refusal):
        return plan, found[UUID]
    [outcome] = apply_to_all(worker, found, SystemClock())
    return plan, outcome


def stored_spec(made: FakeDatabases) -> Any:
    return json.loads(made.api.request_specs([UUID])[UUID].spec)["nova_object.data"]


def test_it_is_rewritten_and_then_left_alone() -> None:
    made = databases()
    plan, outcome = prepare(made)
    assert outcome.changed
    assert not plan.refusals
    assert plan.before == {UUID: {"flavor": "lab.tiny", "image": "lab-image"}}
    assert plan.after == {UUID: {"flavor": "twin-hardware", "image": "twin-hardware"}}
    instance = json.loads(made.api.build_requests([UUID])[UUID].instance)["nova_object.data"]
    assert instance["image_ref"] == TWIN.image.id
    assert instance["flavor"]["nova_object.data"]["flavorid"] == TWIN.flavor.flavorid
    assert stored_spec(made)["flavor"]["nova_object.data"]["memory_mb"] == TWIN.flavor.memory_mb
    again, outcome = prepare(made)
    assert not again.rewrites
    assert not outcome.changed
    assert again.after == again.before == plan.after


def test_one_that_is_prepared_is_put_back_first() -> None:
    made = databases()
    prepare(made, Replacement(flavor=TWIN.flavor))
    _plan, refusal = prepare(made)
    assert refusal.code == "already_prepared"
    [outcome] = Restorer(made, AUTHOR).apply(CELL0, [UUID])
    assert outcome.changed
    assert stored_spec(made) == TWIN.spec.primitive["nova_object.data"]
    assert made.cell(CELL0).instance_rows([UUID])[UUID].instance == TWIN.rows.instance
    assert prepare(made)[1].changed


def test_why_it_can_not_be_is_known_before_anything_is_done() -> None:
    made = databases()
    before = len(made.calls)
    plan = plan_rewrites(made, [UUID], Replacement(image=TWIN.with_image(hw_numa_nodes="1")))
    assert plan.refusals[UUID].code == "image_needs_nova"
    assert not [call for call in made.calls[before:] if call.startswith(("insert", "replace"))]


def test_the_same_again_needs_nothing() -> None:
    made = databases()
    prepare(made)
    Restorer(made, AUTHOR).apply(CELL0, [UUID])
    assert plan_rewrites(made, [UUID], WANTED).rewrites


@pytest.mark.parametrize("atomic", [True, False])
def test_wherever_it_is_cut_off_the_same_again_finishes_it(*, atomic: bool) -> None:
    whole = databases(atomic=atomic)
    prepare(whole)
    expected = (whole.api.build_requests([UUID])[UUID].instance, stored_spec(whole))
    for point in range(1, whole.points + 1):
        made = databases(atomic=atomic)
        made.cut_at = made.points + point
        with contextlib.suppress(Cut):
            prepare(made)
        made.cut_at = None
        _plan, outcome = prepare(made)
        assert getattr(outcome, "refusal", outcome) is None, (point, outcome)
        found = (made.api.build_requests([UUID])[UUID].instance, stored_spec(made))
        assert found == expected, point
        assert not made.cell(CELL0).instance_rows([UUID])
        Restorer(made, AUTHOR).apply(CELL0, [UUID])
        assert stored_spec(made) == TWIN.spec.primitive["nova_object.data"], point
        assert made.cell(CELL0).instance_rows([UUID])[UUID].instance == TWIN.rows.instance
