"""Configuration files as nested dictionaries."""

from __future__ import annotations

import os
from pathlib import Path

Ini = dict[str, dict[str, str | int]]


def merge(*parts: Ini) -> Ini:
    """Later parts win."""
    merged: Ini = {}
    for part in parts:
        for section, options in part.items():
            merged.setdefault(section, {}).update(options)
    return merged


def render(ini: Ini) -> str:
    lines: list[str] = []
    for section, options in ini.items():
        lines += [f"[{section}]", *(f"{key} = {value}" for key, value in options.items()), ""]
    return "\n".join(lines)


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read: nearly all of them hold the password."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(path.name + ".new")
    scratch.unlink(missing_ok=True)
    handle = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as stream:
        stream.write(text)
    scratch.replace(path)
