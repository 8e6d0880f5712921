# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run a module's main() in this process."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible.module_utils import basic
from ansible.module_utils.testing import patch_module_args


@contextlib.contextmanager
def arguments(*, check_mode: bool = False, **options: Any) -> Iterator[None]:
    with patch_module_args({**options, "_ansible_check_mode": check_mode}):
        yield


def result_of(
    main: Callable[[], Any],
    monkeypatch: pytest.MonkeyPatch,
    *,
    check_mode: bool = False,
    logged: list[str] | None = None,
    **options: Any,
) -> dict[str, Any]:
    """What the module returns; ``logged`` takes what it writes to the system's log."""
    sink = logged if logged is not None else []
    monkeypatch.setattr(
        basic.AnsibleModule, "log", lambda _module, msg, **_: sink.append(str(msg)), raising=True
    )
    out = io.StringIO()
    with (
        arguments(check_mode=check_mode, **options),
        contextlib.redirect_stdout(out),
        contextlib.suppress(SystemExit),
    ):
        main()
    found: dict[str, Any] = json.loads(out.getvalue())
    return found
