# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The documentation of a module that an action plugin carries out."""

from __future__ import annotations

import yaml
from ansible_collections.openstack_recovery.nova.plugins.action.run_report import OPTIONS
from ansible_collections.openstack_recovery.nova.plugins.modules import run_report


def test_the_options_are_those_of_the_action_plugin() -> None:
    documented = yaml.safe_load(run_report.DOCUMENTATION)["options"]
    described = {
        name: {key: option[key] for key in ("type", "required", "default") if key in option}
        for name, option in documented.items()
    }
    assert described == OPTIONS


def test_examples_and_returns_are_yaml() -> None:
    (task,) = yaml.safe_load(run_report.EXAMPLES)
    assert set(task["openstack_recovery.nova.run_report"]) <= set(OPTIONS)
    assert set(yaml.safe_load(run_report.RETURN)) == {"verdict", "files", "error"}
