# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules about the code that nobody should have to remember."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.openstack_recovery.nova.plugins.doc_fragments import bmc as bmc_fragment
from ansible_collections.openstack_recovery.nova.plugins.doc_fragments import (
    nova_databases as nova_databases_fragment,
)
from ansible_collections.openstack_recovery.nova.plugins.doc_fragments import (
    openstack as openstack_fragment,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters import (
    openstack_connection,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.bmc_connection import (
    BMC_OPTIONS,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.nova_conf import (
    NOVA_OPTIONS,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.openstack_connection import (
    CONNECTION_OPTIONS,
)

PLUGINS = Path(openstack_connection.__file__ or "").parents[2]
UTILS = PLUGINS / "module_utils"
UNIT = Path(__file__).parent
# Carried out by an action plugin of the same name alone, on the machine that Ansible runs on: it has
# documentation and nothing else, and is compared with its plugin in its own test.
ONLY_ACTIONS = {"run_report"}
MODULES = sorted(
    path.stem
    for path in (PLUGINS / "modules").glob("*.py")
    if path.stem[0] != "_" and path.stem not in ONLY_ACTIONS
)
ALL = sorted(PLUGINS.rglob("*.py"))
DOMAIN = sorted((UTILS / "domain").rglob("*.py"))
ADAPTERS = sorted((UTILS / "adapters").rglob("*.py"))
# What a module can share with others: the name of its fragment and of its action group.
SHARED: dict[str, dict[str, dict[str, Any]]] = {
    "openstack": CONNECTION_OPTIONS,
    "nova_databases": NOVA_OPTIONS,
    "bmc": BMC_OPTIONS,
}
FRAGMENTS = {
    "openstack": openstack_fragment,
    "nova_databases": nova_databases_fragment,
    "bmc": bmc_fragment,
}


def name_of(path: Path) -> str:
    return str(path.relative_to(PLUGINS))


def imports(path: Path) -> Iterator[tuple[str, int]]:
    """Names of what is imported, and how many levels up from here."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((alias.name, 0) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or "", node.level


def source_of(module: str) -> Any:
    return importlib.import_module(
        f"ansible_collections.openstack_recovery.nova.plugins.modules.{module}"
    )


def test_there_is_something_to_look_at() -> None:
    assert len(MODULES) >= 4
    assert len(DOMAIN) > 15
    assert len(ADAPTERS) > 5


@pytest.mark.parametrize("path", DOMAIN, ids=name_of)
def test_the_domain_imports_only_the_standard_library_and_itself(path: Path) -> None:
    depth = len(path.relative_to(UTILS / "domain").parts)
    for name, level in imports(path):
        if level:
            assert level <= depth, f"{name} lies outside of the domain"
        else:
            assert name.split(".")[0] in sys.stdlib_module_names, name


@pytest.mark.parametrize("path", DOMAIN, ids=name_of)
def test_the_domain_knows_neither_the_network_nor_the_machines_clock(path: Path) -> None:
    outside = {"socket", "subprocess", "os", "urllib", "http", "pathlib", "shutil", "threading"}
    if path.stem != "clock":
        outside.add("time")
    assert not outside & {name.split(".")[0] for name, _level in imports(path)}


@pytest.mark.parametrize("path", ADAPTERS, ids=name_of)
def test_adapters_never_import_ansible(path: Path) -> None:
    assert not [name for name, _level in imports(path) if name.split(".")[0].startswith("ansible")]


@pytest.mark.parametrize("path", ALL, ids=name_of)
def test_only_adapters_import_what_is_outside(path: Path) -> None:
    if path in ADAPTERS:
        return
    known = {*sys.stdlib_module_names, "ansible", "ansible_collections"}
    for name, level in imports(path):
        assert level or name.split(".")[0] in known, name


@pytest.mark.parametrize("path", ALL, ids=name_of)
def test_no_shipped_code_asserts(path: Path) -> None:
    assert not [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Assert)]


@pytest.mark.parametrize("path", [*ALL, *sorted(UNIT.rglob("*.py"))], ids=str)
def test_every_file_has_its_licence(path: Path) -> None:
    text = path.read_text()
    assert not text or "SPDX-License-Identifier: GPL-3.0-or-later" in text


@pytest.mark.parametrize("path", [p for p in ALL if p.read_text()], ids=name_of)
def test_every_file_has_a_test(path: Path) -> None:
    without = {f"doc_fragments/{name}.py" for name in FRAGMENTS}
    # Protocols, values, and two classes that are only seen at work, in the tests of a run.
    without |= {f"module_utils/domain/{name}.py" for name in ("cloud",)}
    without |= {
        f"module_utils/domain/evacuation/{name}.py" for name in ("move", "observer", "plan")
    }
    without |= {f"module_utils/domain/never_booted/{name}.py" for name in ("databases", "refusal")}
    without.add("module_utils/domain/power/bmc.py")
    without.add("module_utils/domain/host_return/cloud.py")
    without.add("module_utils/domain/migration/cloud.py")
    without.add("module_utils/domain/capacity/cloud.py")
    without.add("module_utils/domain/making_room/cloud.py")
    without.add("module_utils/domain/hypervisor/hypervisor.py")
    without |= {f"module_utils/domain/operation/{name}.py" for name in ("step", "work")}
    without |= {f"module_utils/domain/reshape/{name}.py" for name in ("plan", "shape")}
    relative = path.relative_to(PLUGINS)
    test = UNIT / "plugins" / relative.with_name(f"test_{relative.name}")
    assert test.is_file() != (str(relative) in without), test


def groups_of(module: str) -> set[str]:
    """What a module shares, by the fragments that its documentation has."""
    fragments = yaml.safe_load(source_of(module).DOCUMENTATION)["extends_documentation_fragment"]
    return {name.removeprefix("openstack_recovery.nova.") for name in fragments}


@pytest.mark.parametrize("group", SHARED)
def test_an_action_group_has_the_modules_with_its_options_and_nothing_else(group: str) -> None:
    runtime = yaml.safe_load((PLUGINS.parent / "meta" / "runtime.yml").read_text())
    found = [entry for entry in runtime["action_groups"][group] if isinstance(entry, str)]
    assert sorted(found) == [module for module in MODULES if group in groups_of(module)]


@pytest.mark.parametrize("module", MODULES)
def test_every_module_is_in_an_action_group(module: str) -> None:
    assert groups_of(module)
    assert groups_of(module) <= set(SHARED)


@pytest.mark.parametrize("module", MODULES)
def test_every_module_supports_check_mode_and_diff(module: str) -> None:
    documented = yaml.safe_load(source_of(module).DOCUMENTATION)
    assert documented["attributes"]["check_mode"]["support"] == "full"
    assert documented["attributes"]["diff_mode"]["support"] == "full"


@pytest.mark.parametrize("module", MODULES)
def test_every_module_has_the_wiring_of_what_it_shares(module: str) -> None:
    calls = [
        node
        for node in ast.walk(ast.parse((PLUGINS / "modules" / f"{module}.py").read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    ]
    wired = {
        (node.func.id, any(word.arg == "cloud" for word in node.keywords))
        for node in calls
        if isinstance(node.func, ast.Name)
        if node.func.id in ("AnsibleModule", "Wiring", "RecoveryModule", "NovaDatabasesModule")
    }
    expected = {
        frozenset({"openstack"}): ("RecoveryModule", False),
        frozenset({"nova_databases"}): ("NovaDatabasesModule", False),
        frozenset({"nova_databases", "openstack"}): ("NovaDatabasesModule", True),
        frozenset({"bmc"}): ("Wiring", False),
    }
    assert wired == {expected[frozenset(groups_of(module))]}


def shape(option: dict[str, Any]) -> dict[str, Any]:
    """What an argument spec and a documentation both say of an option."""
    default = option.get("default")
    return {
        "type": option.get("type", "str"),
        "elements": option.get("elements"),
        "required": option.get("required", False),
        "default": default,
        "choices": sorted(option.get("choices") or ()),
        "aliases": sorted(option.get("aliases") or ()),
        "options": {
            name: shape(below)
            for name, below in (option.get("options") or option.get("suboptions") or {}).items()
        },
    }


def shapes(options: dict[str, Any]) -> dict[str, Any]:
    return {name: shape(option) for name, option in options.items()}


@pytest.mark.parametrize("module", MODULES)
def test_options_are_documented_as_they_are(module: str) -> None:
    source = source_of(module)
    own = yaml.safe_load(source.DOCUMENTATION)["options"]
    shared = {k: v for group in groups_of(module) for k, v in SHARED[group].items()}
    from_fragment = set(shared) & set(own)
    assert shapes(own) == {
        **shapes(source.OPTIONS),
        **{name: shape(own[name]) for name in from_fragment - set(source.OPTIONS)},
    }
    # One that is both replaces the fragment's: the default that counts is the module's.
    for name in from_fragment - set(source.OPTIONS):
        assert shape(own[name]) == shape(shared[name])


@pytest.mark.parametrize("module", MODULES)
def test_examples_and_returns_are_yaml(module: str) -> None:
    source = source_of(module)
    assert yaml.safe_load(source.EXAMPLES)
    assert "error" in yaml.safe_load(source.RETURN)


@pytest.mark.parametrize("module", MODULES)
def test_no_result_has_a_name_that_means_something_to_ansible(module: str) -> None:
    reserved = {"failed", "skipped", "unreachable", "exception", "invocation", "warnings"}
    assert not reserved & set(yaml.safe_load(source_of(module).RETURN))


@pytest.mark.parametrize("group", SHARED)
def test_a_fragment_has_the_options_that_are_shared(group: str) -> None:
    documented = yaml.safe_load(FRAGMENTS[group].ModuleDocFragment.DOCUMENTATION)["options"]
    assert shapes(documented) == shapes(SHARED[group])


def test_what_is_shared_has_no_name_twice() -> None:
    assert not set(CONNECTION_OPTIONS) & set(NOVA_OPTIONS)


def test_the_connection_options_are_those_of_openstack_cloud() -> None:
    root = os.environ.get("OTHER_COLLECTIONS_PATH")
    if root is None:
        pytest.skip("OTHER_COLLECTIONS_PATH is not set")
    path = Path(
        root, "ansible_collections", "openstack", "cloud", "plugins", "module_utils", "openstack.py"
    )
    spec = importlib.util.spec_from_file_location("openstack_cloud_options", path)
    assert spec is not None
    assert spec.loader is not None
    theirs = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(theirs)
    expected = theirs.openstack_full_argument_spec()
    assert shapes(CONNECTION_OPTIONS) == shapes(expected)
    for name, option in expected.items():
        assert CONNECTION_OPTIONS[name].get("no_log") == option.get("no_log"), name


def test_secrets_are_not_logged() -> None:
    for name in ("auth", "client_key"):
        assert CONNECTION_OPTIONS[name]["no_log"] is True
    for name in ("api_database", "cell_database", "transport_url"):
        assert NOVA_OPTIONS[name]["no_log"] is True
    assert BMC_OPTIONS["password"]["no_log"] is True
