# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables of text, for people."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence


def text_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines: the headings, a rule, then each row, in columns as wide as they must be."""
    widths = [
        max(_width(row[column]) for row in (headings, *rows)) for column in range(len(headings))
    ]
    rule = ["-" * width for width in widths]
    return [
        "  ".join(_filled(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (headings, rule, *rows)
    ]


def _filled(cell: str, width: int) -> str:
    return cell + " " * (width - _width(cell))


def _width(text: str) -> int:
    """Columns that it takes on a terminal."""
    return sum(_columns(character) for character in text)


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
