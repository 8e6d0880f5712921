"""Where everything lies: the checkout, the cache beside it, the logs."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

NAMESPACE = "openstack_recovery"
NAME = "nova"


class SetupError(Exception):
    """Something a person has to put right first; the text says what."""


def _cache_root() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / NAMESPACE


@dataclass(frozen=True)
class Layout:
    """The paths of one checkout."""

    root: Path
    cache: Path

    @classmethod
    def here(cls) -> Layout:
        return cls(root=Path(__file__).resolve().parents[3], cache=_cache_root())

    @property
    def checks(self) -> Path:
        return self.root / "tests" / "checks"

    @property
    def logs(self) -> Path:
        """Logs lie in the checkout (git ignores build/), where people look for them."""
        return self.root / "build" / "logs"

    @property
    def home(self) -> Path:
        """HOME for ansible-test, so that our set-up never touches the user's ~/.ansible."""
        return self.cache / "home"
