# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A message that Nova's API (2026.1) sent when an instance was created, without its secrets."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.build_context import (
    BuildIdentity,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.build_message import (
    BuildInput,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.nova_rows import (
    BuildRequestRow,
    RequestSpecRow,
)

_FILE = json.loads(Path(__file__).parents[1].joinpath("data", "build_message.json").read_text())


@dataclass
class Original:
    """``message`` as on the bus, ``spec`` as stored, ``glance`` the image as Glance shows it."""

    message: dict[str, Any]
    spec: dict[str, Any]
    glance: dict[str, Any]

    @classmethod
    def load(cls) -> Original:
        made = copy.deepcopy(_FILE)
        return cls(made["message"], json.loads(made["stored_spec"]), made["image_of_glance"])

    @property
    def arguments(self) -> dict[str, Any]:
        found: dict[str, Any] = self.message["args"]
        return found

    @property
    def context(self) -> dict[str, Any]:
        prefix = "_context_"
        return {k.removeprefix(prefix): v for k, v in self.message.items() if k.startswith(prefix)}

    @property
    def build_request(self) -> dict[str, Any]:
        found: dict[str, Any] = self.arguments["build_requests"][0]["nova_object.data"]
        return found

    @property
    def instance(self) -> dict[str, Any]:
        found: dict[str, Any] = self.build_request["instance"]["nova_object.data"]
        return found

    def identity(self, **others: Any) -> BuildIdentity:
        """With the original's catalog, in Keystone's form."""
        catalog = [
            {
                "type": service["type"],
                "name": service["name"],
                "id": "x",
                "endpoints": [
                    {"interface": name[:-3], "region_id": place["region"], "url": url}
                    for place in service["endpoints"]
                    for name, url in place.items()
                    if name.endswith("URL")
                ],
            }
            for service in self.context["service_catalog"]
        ]
        given: dict[str, Any] = {
            "auth_token": "an-operators-token",
            "catalog": [*catalog, {"type": "compute", "name": "nova", "endpoints": []}],
            "roles": ("reader", "member"),
            "is_admin": True,
            "user_domain_id": "default",
            "project_domain_id": "default",
        }
        return BuildIdentity(**{**given, **others})

    def given(self, **others: Any) -> BuildInput:
        """What the same message is made of, as it is in the database."""
        row = self.build_request
        given: dict[str, Any] = {
            "build_request": BuildRequestRow(
                instance_uuid=row["instance_uuid"],
                project_id=row["project_id"],
                instance=json.dumps(row["instance"]),
                block_device_mappings=json.dumps(row["block_device_mappings"]),
                tags=json.dumps(row["tags"]),
                created_at=datetime.fromisoformat(row["created_at"]).replace(tzinfo=None),
                id=row["id"],
            ),
            "request_spec": RequestSpecRow(
                instance_uuid=row["instance_uuid"],
                spec=json.dumps(self.spec),
                id=self.arguments["request_specs"][0]["nova_object.data"]["id"],
            ),
            "requested_networks": self.arguments["requested_networks"],
            "image": self.arguments["image"],
            "identity": self.identity(),
        }
        return BuildInput(**{**given, **others})
