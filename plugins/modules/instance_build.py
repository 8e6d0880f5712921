#!/usr/bin/python
# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: instance_build
short_description: Have Nova build prepared instances, and see each to its end
version_added: 0.2.0
author:
  - openstack_recovery.nova contributors (@openstack-recovery)
description:
  - Hands each instance that M(openstack_recovery.nova.cell0_rebuild_prep) has prepared to Nova's
    conductor, at most once, and waits. In the end it is C(active) and verified, or in its cell
    again, or it says what to look at.
  - Repairs what a conductor that died has left half built, too, and puts back a RequestSpec that Nova
    has removed.
  - The journal says whether the conductor was asked. Two runs at once, and a run after one that was
    killed, never ask twice, because a second message would make the instance vanish. They wait for
    what the first one has begun.
options:
  instances:
    description: UUIDs of the instances. All are looked at before the first is handed over.
    type: list
    elements: str
    required: true
  concurrency:
    description: How many instances Nova may be building at once.
    type: int
    default: 8
  build_timeout:
    description: Seconds that Nova may take for one instance. Later it is reported as C(stuck).
    type: int
    default: 900
  verify_timeout:
    description: Seconds for the checks to pass, from when the instance has booted.
    type: int
    default: 120
  timeout:
    description: Seconds for all instances.
    type: int
    default: 3600
  poll_interval:
    description: Seconds between two looks.
    type: int
    default: 3
  settle_time:
    description:
      - Seconds for which an earlier message may still be at work. An instance that the conductor
        was asked to build is handed over again only when it is older than that, when no message
        waits in the conductor's queue, and when nothing of it was built. By default Nova's
        C(long_rpc_timeout) and C(rpc_response_timeout) together, as O(nova_conf) has them.
    type: int
  project_token:
    description:
      - Build each instance with a token for its own project, rather than with one for the project
        that is logged in to. The user then needs a role in each of these projects.
    type: bool
    default: false
  injected_files:
    description:
      - Personality files by UUID of the instance, which Nova does not store. Each is a dictionary
        of C(path) and C(content) (base64).
    type: dict
    default: {}
  run_id:
    description: Name of this run in the journal, of at most 64 characters. Made from the time by default.
    type: str
  operator:
    description: Who runs this, for the journal. By default the user and the machine.
    type: str
extends_documentation_fragment:
  - openstack_recovery.nova.nova_databases
  - openstack_recovery.nova.openstack
attributes:
  check_mode:
    support: full
    description: Tells what would be done with each instance, sends and writes nothing.
  diff_mode:
    support: full
    description: Shows the instances that were built.
requirements:
  - oslo.messaging
notes:
  - By Nova's, Neutron's, Cinder's and Glance's default policies the user needs the role admin. With
    O(project_token) a role that may create instances in their projects is enough for the build;
    to verify it needs admin all the same.
  - The token is sent to the conductor in the message, as the compute API does with its user's. It
    must live as long as a build can take.
seealso:
  - module: openstack_recovery.nova.cell0_rebuild_prep
"""

EXAMPLES = r"""
- name: Build two instances under their old UUIDs
  openstack_recovery.nova.instance_build:
    cloud: mycloud
    instances:
      - 7e3c2a53-95e7-4e3f-8f8b-7d7f3f4f0c11
      - 0e7a7af0-a810-4961-9751-487b5588cd17
"""

RETURN = r"""
run_id:
  description: Name of this run in the journal.
  returned: when the instances were looked at
  type: str
instances:
  description:
    - What became of each instance.
    - C(result) is C(active) (it runs, and every check has passed), C(not_verified) (it runs, but a
      check fails), C(buried_again) (there was no room; it is in cell0), C(died) (its build failed;
      it is in a real cell), C(deleted) (by its user), C(stuck) (Nova has not finished it),
      C(not_sent) (the conductor could not be asked) or C(refused). In check mode C(would_build)
      and C(would_wait) are possible.
  returned: when the instances were looked at
  type: list
  elements: dict
  contains:
    uuid:
      description: UUID of the instance.
      type: str
    result:
      description: How it ended, one of the above.
      type: str
    code:
      description: Why, where it is not C(active), for example C(died) or C(message_in_doubt); else null.
      type: str
    message:
      description: What Nova says, or what to do; empty where there is nothing to say.
      type: str
    changed:
      description: Whether this run has changed anything of it; in check mode whether it would.
      type: bool
    host:
      description: Name of the host on which it runs; null where it is not known.
      type: str
    request_id:
      description: ID of this run's message in Nova's logs; null where none was sent.
      type: str
    verification:
      description:
        - Each check that was made, by its name, as whether it has C(passed), and what was C(expected)
          and C(observed).
      type: dict
  sample:
    - uuid: 7e3c2a53-95e7-4e3f-8f8b-7d7f3f4f0c11
      result: active
      code: null
      message: ''
      changed: true
      host: compute-2
      request_id: req-1b4e28ba-2fa1-11d2-883f-0016d3cca427
      verification:
        ports: {passed: true, expected: 1 bound to compute-2, observed: 1 bound to compute-2}
error:
  description:
    - What went wrong, as a C(code), whether it is C(retriable), C(details) and a C(request_id).
    - The code is C(refused) when an instance cannot be built, which has changed nothing; its details
      have for each such instance a C(code) and a C(message), such as C(not_prepared),
      C(has_booted), C(still_building), C(networks_unknown) and C(instance_not_found).
    - It is C(not_all_built) when not every instance is C(active) in the end.
    - Others are C(message_bus_unavailable), C(conductor_queue_missing), C(no_role_in_project),
      C(token_too_short), C(catalog_incomplete), C(invalid_options), and those of
      M(openstack_recovery.nova.cell0_rebuild_prep).
  returned: failure
  type: dict
"""

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.build_cloud import (
    OpenStackBuildCloud,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.build_identity import (
    BuildIdentities,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.run_identity import (
    author_of,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.clock import (
    SystemClock,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted import (
    build_state,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.batch_run import (
    refuse_bad_ones,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.build import (
    Builder,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.build_state import (
    Build,
    BuildSettings,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.journal import (
    Author,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.refusal import (
    Refusal,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.nova_databases_module import (
    NovaConnections,
    NovaDatabasesModule,
)

OPTIONS = {
    "instances": {"type": "list", "elements": "str", "required": True},
    "concurrency": {"type": "int", "default": 8},
    "build_timeout": {"type": "int", "default": 900},
    "verify_timeout": {"type": "int", "default": 120},
    "timeout": {"type": "int", "default": 3600},
    "poll_interval": {"type": "int", "default": 3},
    "settle_time": {"type": "int"},
    "project_token": {"type": "bool", "default": False},
    "injected_files": {"type": "dict", "default": {}, "no_log": True},
    "run_id": {"type": "str"},
    "operator": {"type": "str"},
}


def build(connections: NovaConnections, module: NovaDatabasesModule) -> dict[str, Any]:
    params = module.params
    settings = BuildSettings(
        settle_time=connections.settle_time(params["settle_time"]).total_seconds(),
        concurrency=params["concurrency"],
        build_timeout=params["build_timeout"],
        verify_timeout=params["verify_timeout"],
        timeout=params["timeout"],
        poll_interval=params["poll_interval"],
    )
    settings.validate()
    author = author_of(params)
    identities = BuildIdentities(
        connections.cloud, project_token=params["project_token"], lifetime=params["build_timeout"]
    )
    files = {uuid: _files(uuid, given) for uuid, given in params["injected_files"].items()}
    cloud = OpenStackBuildCloud(connections.cloud, identities, files)
    if not module.check_mode:
        connections.databases.make_journal()
    builder = Builder(
        databases=connections.databases,
        conductor=connections.conductor,
        cloud=cloud,
        author=author,
        settings=settings,
        clock=SystemClock(),
    )
    looked = builder.look(params["instances"])
    refuse_bad_ones({one.instance_uuid: _refusal(one) for one in looked})
    done = looked if module.check_mode else builder.run(params["instances"])
    return _result(done, author, check_mode=module.check_mode)


def _refusal(seen: Build) -> Refusal | None:
    if seen.result != build_state.REFUSED:
        return None
    return Refusal(code=seen.code or "refused", message=seen.message)


def _files(uuid: str, given: Any) -> Sequence[tuple[str, str]]:
    """Pairs of path and content, as the message has them."""
    try:
        files = [(str(one["path"]), str(one["content"])) for one in given]
        for _path, content in files:
            base64.b64decode(content, validate=True)
    except (TypeError, KeyError, ValueError):
        raise RecoveryError(
            "invalid_options",
            f"injected_files of {uuid}: give a list of dictionaries with path and content (base64)",
        ) from None
    return files


def _result(done: Sequence[Build], author: Author, *, check_mode: bool) -> dict[str, Any]:
    shown = [one.as_dict() for one in done]
    for one, as_dict in zip(done, shown, strict=True):
        if check_mode and one.result is None:
            as_dict["result"] = "would_wait" if one.in_flight else "would_build"
            as_dict["changed"] = not one.in_flight
    failed = [one for one in done if one.result not in (None, build_state.ACTIVE)]
    result: dict[str, Any] = {
        "changed": any(as_dict["changed"] for as_dict in shown),
        "run_id": author.run_id,
        "instances": shown,
        "diff": [
            _diff(one["uuid"])
            for one in shown
            if one["changed"] and one["result"] in (build_state.ACTIVE, "would_build")
        ],
    }
    if failed and not check_mode:
        first = failed[0]
        result["failed"] = True
        result["msg"] = (
            f"{len(failed)} of {len(done)} instances were not built; the first is"
            f" {first.instance_uuid}: {first.result}: {first.message}"
        )
        result["error"] = {
            "code": "not_all_built",
            "retriable": any(one.result != build_state.DELETED for one in failed),
            "details": {
                "instances": {
                    one.instance_uuid: {"result": one.result, "code": one.code} for one in failed
                }
            },
            "request_id": first.request_id,
        }
    return result


def _diff(uuid: str) -> Mapping[str, Any]:
    return {
        "before_header": uuid,
        "after_header": uuid,
        "before": {"status": "BUILD"},
        "after": {"status": "ACTIVE"},
    }


def main() -> None:
    module = NovaDatabasesModule(OPTIONS, cloud=True)
    module.run(lambda connections: build(connections, module), reads_only=False)


if __name__ == "__main__":
    main()
