"""What supervisord has to know of a program."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Program:
    """One supervisord program."""

    name: str
    command: str
    environment: dict[str, str] = field(default_factory=dict)
    stop_signal: str = "KILL"  # the Python services lose nothing, and it is quick
