"""What ansible-test runs to get pip into its own environments.

It would fetch get-pip.py from a server of its own, which is not reachable
everywhere; Python brings a pip (ensurepip), which then fetches the version
ansible-test asked for. checklib/sanity.py puts this file where ansible-test
looks for a download it made earlier.
"""

from __future__ import annotations

import subprocess
import sys

# Options of get-pip.py that pip itself does not know.
packages = [a for a in sys.argv[1:] if a not in ("--no-setuptools", "--no-wheel")]
subprocess.run([sys.executable, "-m", "ensurepip"], check=True, stdout=subprocess.DEVNULL)
subprocess.run([sys.executable, "-m", "pip", "install", *packages], check=True)
