# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pages from templates, by Jinja2. Every value is escaped unless a template says otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..domain.errors import RecoveryError

# Comes with ansible-core, so it is where action plugins run. Modules do not import this.
try:
    import jinja2
except ImportError as error:  # pragma: no cover
    JINJA2_IMPORT_ERROR: ImportError | None = error
else:
    JINJA2_IMPORT_ERROR = None


class HtmlPages:
    """:param folder: of the templates."""

    def __init__(self, folder: Path) -> None:
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(folder),
            autoescape=True,
            # A name that is wrong is an error and not an empty place in a page.
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def render(self, name: str, model: Mapping[str, Any]) -> str:
        """:raises RecoveryError: ``report_not_written``"""
        try:
            return self._templates.get_template(name).render(model)
        except jinja2.TemplateError as error:
            raise RecoveryError(
                "report_not_written", f"the template {name} is broken: {error}"
            ) from error
