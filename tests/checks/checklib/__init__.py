"""The steps of `tests/checks/check`, standard library only.

It has to run before any tool is installed, since it installs them.
"""
