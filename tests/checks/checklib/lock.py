"""Resolve the lock files again."""

from __future__ import annotations

from .layout import Layout
from .report import say
from .toolenv import call, uv

# The oldest Python the collection supports; the locked versions also run on newer ones.
_PYTHON = "3.11"


def resolve(layout: Layout) -> int:
    tool = str(uv(layout))
    for name in ("bootstrap", "other_collections", "requirements"):
        target = layout.checks / f"{name}.txt"
        arguments = ["--quiet", "--upgrade", "--no-header", "--generate-hashes"]
        # Paths relative to the checkout: the lock names its source in comments.
        output = str(target.relative_to(layout.root))
        arguments += ["--python-version", _PYTHON, "--output-file", output]
        if name != "requirements":
            arguments += ["--no-deps", "--no-annotate"]
        source = str((layout.checks / f"{name}.in").relative_to(layout.root))
        call(layout, f"lock-{name}", tool, "pip", "compile", *arguments, source)
        say(f"locked {output}")
    return 0
