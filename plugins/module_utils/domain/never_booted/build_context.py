# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""In whose name the conductor builds an instance: Nova's request context, as a message has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..errors import RecoveryError

# What Nova's context keeps of a catalog.
_SERVICES = frozenset(
    {
        "image",
        "block-storage",
        "volumev3",
        "key-manager",
        "placement",
        "network",
        "accelerator",
        "sharev2",
    }
)
_VOLUMES = frozenset({"block-storage", "volumev3"})


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildIdentity:
    """Whose token a build runs with; ``repr`` shows nothing secret.

    The names and domains are those of the instance's user and project; Nova writes the names into
    a guest's metadata.

    :param roles: what the token may do.
    :param catalog: of the token, in Keystone's v3 form.
    :param is_admin: whether Nova need not look at the roles: True for an operator's token, whose
        project is not the instance's.
    """

    auth_token: str = field(repr=False)
    catalog: Sequence[Mapping[str, Any]] = field(repr=False)
    roles: Sequence[str]
    is_admin: bool
    user_name: str | None = None
    user_domain_id: str | None = None
    project_name: str | None = None
    project_domain_id: str | None = None


def build_context(
    identity: BuildIdentity,
    *,
    instance: Mapping[str, Any],
    has_volumes: bool,
    request_id: str,
    global_request_id: str | None,
    now: datetime,
) -> dict[str, Any]:
    """The context, with the instance's user and project and the identity's token.

    :param instance: fields of the Instance.
    :param now: UTC.
    :raises RecoveryError: ``catalog_incomplete``.
    """
    user, project = instance["user_id"], instance["project_id"]
    # Nova stores these names since 2026.1.
    named = instance.get("system_metadata") or {}
    parts = (user, project, None, identity.user_domain_id, identity.project_domain_id)
    return {
        "user": user,
        "user_id": user,
        "user_name": named.get("owner_user_name") or identity.user_name,
        "user_domain": identity.user_domain_id,
        "project": project,
        "project_id": project,
        "project_name": named.get("owner_project_name") or identity.project_name,
        "project_domain": identity.project_domain_id,
        "domain": None,
        "system_scope": None,
        "user_identity": " ".join(part or "-" for part in parts),
        "is_admin": identity.is_admin,
        "is_admin_project": True,
        "roles": list(identity.roles),
        "auth_token": identity.auth_token,
        "service_catalog": _catalog(identity, has_volumes=has_volumes),
        "request_id": request_id,
        "global_request_id": global_request_id,
        "resource_uuid": None,
        "remote_address": None,
        "quota_class": None,
        "read_deleted": "no",
        "read_only": False,
        "show_deleted": False,
        "timestamp": now.strftime("%Y-%m-%dT%H:%M:%S.%f"),
    }


def _catalog(identity: BuildIdentity, *, has_volumes: bool) -> list[dict[str, Any]]:
    """In the form of Keystone v2, which Nova's context has kept."""
    services = [_service(entry) for entry in identity.catalog if entry.get("type") in _SERVICES]
    types = {service["type"] for service in services if service["endpoints"]}
    missing = {"image", "network"} - types
    if has_volumes and not types & _VOLUMES:
        missing.add("block-storage")
    if missing:
        # Nova would place the instance, and then fail to build it.
        raise RecoveryError(
            "catalog_incomplete",
            f"the token's catalog has no endpoint of {', '.join(sorted(missing))}: the build would"
            " fail. Log in with a token that is scoped to a project and has a catalog",
            details={"missing": sorted(missing)},
        )
    return services


def _service(entry: Mapping[str, Any]) -> dict[str, Any]:
    regions: dict[Any, dict[str, Any]] = {}
    for endpoint in entry.get("endpoints") or ():
        name = endpoint.get("region_id") or endpoint.get("region")
        urls = regions.setdefault(name, {"region": name})
        urls[f"{endpoint['interface']}URL"] = endpoint["url"]
    return {
        "type": entry["type"],
        "name": entry.get("name"),
        "endpoints": list(regions.values()),
    }
