"""ansible-doc of everything users can call; a warning is a failure."""

from __future__ import annotations

from pathlib import Path

from .context import Context
from .layout import NAME, NAMESPACE
from .report import Check

STEP = "docs"

# Folders of plugins that ansible-doc knows, and its name for them.
_KINDS = {
    "modules": "module",
    "filter": "filter",
    "test": "test",
    "lookup": "lookup",
    "inventory": "inventory",
    "connection": "connection",
    "callback": "callback",
}


def docs(context: Context) -> list[Check]:
    root = context.build.root
    named = {kind: _plugins(root / "plugins" / folder) for folder, kind in _KINDS.items()}
    specs = (root / "roles").glob("*/meta/argument_specs.y*ml")
    named["role"] = sorted(path.parents[1].name for path in specs)
    checks = [
        context.check(
            STEP,
            f"ansible-doc {kind}",
            ["ansible-doc", "--type", kind, *(f"{NAMESPACE}.{NAME}.{name}" for name in names)],
        )
        for kind, names in named.items()
        if names
    ]
    if (root / "plugins" / "modules").is_dir():
        checks.append(
            context.check(
                STEP,
                "action group",
                [
                    *("ansible-playbook", "--syntax-check", "-i", "localhost,"),
                    context.layout.checks / "action_group.yml",
                ],
            )
        )
    return checks


def _plugins(folder: Path) -> list[str]:
    """Names of plugins; filters and tests may be documented in a YAML file instead."""
    documented_beside = folder.name in ("filter", "test")
    names = [path.stem for path in folder.glob("*.yml")] if documented_beside else []
    names = names or [path.stem for path in folder.glob("*.py")]
    return sorted(name for name in names if not name.startswith("_"))
