# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m placements --seed 1 --placements 100 [--instances 16] [--at-least 95] [--keep-sizes]

Makes random situations on the lab, evacuates the first host with the module instance_evacuation,
and compares its predictions with what Nova's records say. Prints the share that was right, beside
that of saying of every instance that it fits. Fails below ``--at-least`` per cent.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from typing import Any

from never_booted import modules

from .real import Lab, seconds_since
from .situations import SOURCE, Situation, situation


def compare(lab: Lab, number: int, wanted: Situation) -> list[dict[str, Any]]:
    """Each instance of one situation: what was said of it, and what happened."""
    began = time.monotonic()
    ids = lab.make(wanted)
    lab.fail()
    made = seconds_since(began)
    run = modules.run(
        "instance_evacuation",
        {
            "cloud": os.environ["OS_CLOUD"],
            "host": SOURCE,
            "shared_storage": True,
            "retries": 0,
            "concurrency": wanted.concurrency,
        },
    )
    plan = {entry["id"]: entry for entry in run.result.get("plan", ())}
    if set(plan) != set(ids.values()):
        sys.exit(f"no plan of all instances: {json.dumps(run.result)[:3000]}")
    placed = lab.placed(ids.values())
    found = [
        {
            "situation": number,
            "name": name,
            "said": plan[instance_id]["prediction"]["fits"],
            "reason": plan[instance_id]["prediction"]["reason"],
            "placed": placed.get(instance_id),
        }
        for name, instance_id in ids.items()
    ]
    lab.restore()
    right = sum(one["said"] == one["placed"] for one in found)
    with_room = sum(one["placed"] is True for one in found)
    print(
        f"situation {number}: {right} of {len(found)} right, {with_room} placed,"
        f" {wanted.concurrency} at once; made in {made}, all in {seconds_since(began)}",
        flush=True,
    )
    for one in found:
        if one["said"] != one["placed"]:
            print(f"  wrong: {json.dumps(one)}", flush=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--placements", type=int, default=100)
    parser.add_argument("--instances", type=int, default=16, help="of a situation")
    parser.add_argument("--at-least", type=float, default=95, help="per cent")
    parser.add_argument(
        "--keep-sizes", action="store_true", help="of the lab's hosts: saves a minute"
    )
    options = parser.parse_args()
    modules.use_collections()
    lab = Lab()
    lab.restore()
    if not options.keep_sizes:
        lab.set_sizes()
    found: list[dict[str, Any]] = []
    for number in range(-(-options.placements // options.instances)):
        found += compare(lab, number, situation(options.seed, number, options.instances))
    right = sum(one["said"] == one["placed"] for one in found)
    placed = sum(one["placed"] is True for one in found)
    unknown = sum(one["said"] is None for one in found)
    share = 100 * right / len(found)
    print(
        f"seed {options.seed}: {right} of {len(found)} placements predicted right ({share:.1f} %),"
        f" {unknown} not predicted; 'everything fits' is right for {placed}"
        f" ({100 * placed / len(found):.1f} %)"
    )
    if share < options.at_least:
        sys.exit(f"WRONG: less than {options.at_least:.0f} %")


if __name__ == "__main__":
    main()
