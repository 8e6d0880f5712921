# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Nova 33.0 (2026.1) stored of an instance, and of a twin with another image and flavor.

Written by tests/support/build_twins: each twin was created by Nova's API itself.
"""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.another_flavor import (
    ChosenFlavor,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.another_image import (
    ChosenImage,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.image import (
    image_from_glance,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.nova_rows import (
    InstanceRows,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.request_spec import (
    RequestSpec,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.row_text import (
    load_rows,
)

_FILE = json.loads(
    Path(__file__).parents[1].joinpath("data", "another_build.json").read_text("utf-8")
)


@dataclass
class Twin:
    """``rows`` and ``spec`` are of the instance, ``novas`` what Nova wrote of its twin."""

    rows: InstanceRows
    spec: RequestSpec
    image: ChosenImage
    flavor: ChosenFlavor
    novas: dict[str, Any]

    @classmethod
    def load(cls, name: str = "hardware") -> Twin:
        """:param name: hardware or snapshot."""
        found = copy.deepcopy(_FILE[name])
        row = found["flavor"]
        row |= {"created_at": datetime.fromisoformat(row["created_at"]), "vcpu_weight": 0}
        row |= {"disabled": bool(row["disabled"]), "is_public": bool(row["is_public"])}
        uuid = found["rows"]["instances"][0]["uuid"]
        return cls(
            rows=load_rows(uuid, json.dumps(found["rows"])),
            spec=RequestSpec(found["spec"]),
            image=ChosenImage(
                nova=image_from_glance(found["glance"], _FILE["base_properties"]), project_ids=None
            ),
            flavor=ChosenFlavor(**row, extra_specs=found["extra_specs"]),
            novas=found["novas"],
        )

    def with_image(self, **properties: Any) -> ChosenImage:
        """The image with other properties; None takes one away."""
        known = {**self.image.properties, **properties}
        kept = {name: value for name, value in known.items() if value is not None}
        return replace(self.image, nova={**self.image.nova, "properties": kept})

    def with_rows(self, table: str, **columns: Any) -> InstanceRows:
        """With these columns in every row of a table."""
        changed = tuple({**row, **columns} for row in self.rows.all(table))
        return replace(self.rows, tables={**self.rows.tables, table: changed})
