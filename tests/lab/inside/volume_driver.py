# mypy: disable-error-code="import-not-found,import-untyped,misc"
"""A volume driver without data: cinder/volume/drivers/openstack_lab.py after installation.

Cinder's own fake driver does nothing and says that it worked. Only volumes made from an image and
grown ones still ask for tools and block devices there; here they do not.
"""

from __future__ import annotations

from typing import Any

from cinder.tests import fake_driver


class NoDataDriver(fake_driver.FakeLoggingVolumeDriver):
    """Volumes are rows in Cinder's database, and nothing else."""

    def clone_image(self, *_args: Any, **_kwargs: Any) -> tuple[dict[str, Any], bool]:
        """Say that the backend has copied the image by itself, as Ceph can."""
        return {}, True

    def copy_image_to_volume(self, *_args: Any, **_kwargs: Any) -> None:
        """Do nothing: when a volume is made anew from an image, only what is noted of it changes."""

    def extend_volume(self, volume: Any, new_size: int) -> None:
        pass
