# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The RequestSpec that Nova keeps of every instance, read from and written to its JSON."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import RecoveryError
from .versioned_object import data_of, object_list, primitive

_NETWORKS = "requested_networks"


class RequestSpec:
    """One stored spec. Changing it gives another one; what is not changed stays as it was."""

    def __init__(self, stored: Mapping[str, Any]) -> None:
        """:param stored: the decoded JSON of request_specs.spec."""
        self._data = data_of(stored, "RequestSpec")
        self._stored = stored

    @classmethod
    def loads(cls, text: str, instance_uuid: str) -> RequestSpec:
        """:raises RecoveryError: ``unexpected_object``."""
        try:
            return cls(json.loads(text))
        except ValueError as error:
            raise RecoveryError(
                "unexpected_object",
                f"the RequestSpec of instance {instance_uuid} is not JSON ({error}): leave the"
                " instance alone and report it",
            ) from error

    def dumps(self) -> str:
        return json.dumps(self._stored)

    @property
    def primitive(self) -> Mapping[str, Any]:
        return self._stored

    def get(self, field: str) -> Any:
        """The primitive of a field; None where it is not set."""
        return self._data.get(field)

    @property
    def requested_networks(self) -> list[dict[str, Any]] | None:
        """Fields of each NetworkRequest; None when unknown. An empty list is known: none given.

        Nova drops them when it stores a spec. They are there only when network_request put them in.
        """
        stored = self._data.get(_NETWORKS)
        if stored is None:
            return None
        objects = data_of(stored, "NetworkRequestList")["objects"]
        return [data_of(request, "NetworkRequest") for request in objects]

    def with_requested_networks(self, requests: Sequence[Mapping[str, Any]] | None) -> RequestSpec:
        """With these as requested networks; None takes them out."""
        if requests is None:
            return self.without(_NETWORKS)
        return self.with_fields({_NETWORKS: network_request_list(requests)})

    def with_fields(self, fields: Mapping[str, Any]) -> RequestSpec:
        """With these fields, given as primitives, in place of its own."""
        stored = copy.deepcopy(dict(self._stored))
        stored["nova_object.data"].update(fields)
        return RequestSpec(stored)

    def without(self, field: str) -> RequestSpec:
        stored = copy.deepcopy(dict(self._stored))
        stored["nova_object.data"].pop(field, None)
        changes = [name for name in stored.get("nova_object.changes", ()) if name != field]
        if "nova_object.changes" in stored:
            stored["nova_object.changes"] = changes
        return RequestSpec(stored)


def network_request_list(requests: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The NetworkRequestList primitive; the fields that are given count as set by the user."""
    objects = [primitive("NetworkRequest", fields, sorted(fields)) for fields in requests]
    return object_list("NetworkRequestList", objects, ["objects"])
