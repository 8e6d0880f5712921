# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""For all unit tests."""

from __future__ import annotations

import pytest
from hypothesis import settings

# How fast one example runs says how busy the machine is.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")

# openstacksdk warns of what it does itself.
_OWN_AFFAIRS = (
    "Support for InfluxDB",
    "The _compute_attributes method",
    "The 'service_type' parameter",
)


def pytest_configure(config: pytest.Config) -> None:
    for words in _OWN_AFFAIRS:
        config.addinivalue_line("filterwarnings", f"ignore:{words}")
