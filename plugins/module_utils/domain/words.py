# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an operator or a survey states as words, as a list."""

from __future__ import annotations

import re
from typing import Any

_SPACES_AND_COMMAS, _COMMAS = re.compile(r"[^\s,]+"), re.compile(r"[^,]+")


def words(value: Any, *, at_spaces: bool = True) -> list[Any]:
    """The words of a text, or a list as it is.

    :param value: words with commas between them, with spaces or on lines; or a list.
    :param at_spaces: False where a word, such as a path, may have spaces in it.
    :raises TypeError: for anything else.
    """
    if isinstance(value, str):
        found = (_SPACES_AND_COMMAS if at_spaces else _COMMAS).findall(value)
        return [word.strip() for word in found if word.strip()]
    if not isinstance(value, (list, tuple)):
        raise TypeError(f"a list is needed, or words with commas, and not {value!r}")
    return list(value)
