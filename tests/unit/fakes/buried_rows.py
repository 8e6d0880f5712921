# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An instance that Nova 33.0 (2026.1) has buried: every row that cell0 holds of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

INSTANCE_UUID = "5b1f0c52-9d0e-4c56-8d2b-0c1a3c0de001"
at = datetime.fromisoformat

ROWS: dict[str, list[dict[str, Any]]] = {
    "instances": [
        {
            "created_at": at("2026-11-22T07:42:31"),
            "updated_at": at("2026-11-22T07:42:31"),
            "deleted_at": None,
            "id": 2,
            "internal_id": None,
            "user_id": "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb2",
            "project_id": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa1",
            "image_ref": "1a9e0000-0000-4000-8000-000000000001",
            "kernel_id": "",
            "ramdisk_id": "",
            "launch_index": 0,
            "key_name": "kp1",
            "key_data": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA user@example\n",
            "power_state": 0,
            "vm_state": "error",
            "memory_mb": 64,
            "vcpus": 1,
            "hostname": "zoë",
            "host": None,
            "user_data": "aGVsbG8=",
            "reservation_id": "r-aaaaaaaa",
            "launched_at": None,
            "terminated_at": None,
            "display_name": "Zoë-名前",
            "display_description": "desc",
            "availability_zone": None,
            "locked": 0,
            "os_type": None,
            "launched_on": None,
            "instance_type_id": 1,
            "vm_mode": None,
            "uuid": "5b1f0c52-9d0e-4c56-8d2b-0c1a3c0de001",
            "architecture": None,
            "root_device_name": None,
            "access_ip_v4": None,
            "access_ip_v6": None,
            "config_drive": "True",
            "task_state": None,
            "default_ephemeral_device": None,
            "default_swap_device": None,
            "progress": 0,
            "auto_disk_config": 0,
            "shutdown_terminate": 0,
            "disable_terminate": 0,
            "root_gb": 1,
            "ephemeral_gb": 0,
            "cell_name": None,
            "node": None,
            "deleted": 0,
            "locked_by": None,
            "cleaned": 0,
            "ephemeral_key_uuid": None,
            "hidden": 0,
            "compute_id": None,
        }
    ],
    "instance_actions": [
        {
            "created_at": at("2026-11-22T07:42:31"),
            "updated_at": at("2026-11-22T07:42:31"),
            "deleted_at": None,
            "id": 2,
            "action": "create",
            "instance_uuid": "5b1f0c52-9d0e-4c56-8d2b-0c1a3c0de001",
            "request_id": "req-4e900000-0000-4000-8000-000000000001",
            "user_id": "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb2",
            "project_id": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa1",
            "start_time": at("2026-11-22T07:42:30"),
            "finish_time": None,
            "message": "Error",
            "deleted": 0,
        }
    ],
    "instance_actions_events": [
        {
            "created_at": at("2026-11-22T07:42:31"),
            "updated_at": at("2026-11-22T07:42:31"),
            "deleted_at": None,
            "id": 2,
            "event": "conductor_schedule_and_build_instances",
            "action_id": 2,
            "start_time": at("2026-11-22T07:42:31"),
            "finish_time": at("2026-11-22T07:42:31"),
            "result": "Error",
            "traceback": "Traceback (most recent call last):\n"
            "  ...\n"
            "nova.exception.NoValidHost: No valid host was "
            "found.\n",
            "deleted": 0,
            "host": "controller",
            "details": "No valid host was found. ",
        }
    ],
    "tags": [
        {"resource_id": "5b1f0c52-9d0e-4c56-8d2b-0c1a3c0de001", "tag": "t1"},
        {"resource_id": "5b1f0c52-9d0e-4c56-8d2b-0c1a3c0de001", "tag": "t2"},
    ],
    "instance_id_mappings": [
        {
            "created_at": at("2026-11-22T07:42:31"),
            "updated_at": None,
            "deleted_at": None,
            "id": 2,
            "uuid": "5b1f0c52-9d0e-4c56-8d2b-0c1a3c0de001",
            "deleted": 0,
        }
    ],
    "block_device_mapping": [
        {
            "created_at": at("2026-11-22T07:42:31"),
            "updated_at": None,
            "deleted_at": None,
            "id": 2,
            "device_name": None,
            "delete_on_termination": 1,
            "snapshot_id": None,
            "volume_id": None,
            "volume_size": None,
            "no_device": 0,
            "connection_info": None,
            "instance_uuid": "5b1f0c52-9d0e-4c56-8d2b-0c1a3c0de001",
            "deleted": 0,
            "source_type": "image",
            "destination_type": "local",
            "guest_format": None,
            "device_type": "disk",
            "disk_bus": None,
            "boot_index": 0,
            "image_id": "1a9e0000-0000-4000-8000-000000000001",
            "tag": None,
            "attachment_id": None,
            "uuid": "bd300000-0000-4000-8000-000000000001",
            "volume_type": None,
            "encrypted": 0,
            "encryption_secret_uuid": None,
            "encryption_format": None,
            "encryption_options": None,
        }
    ],
    "instance_system_metadata": [
        {
            "created_at": at("2026-11-22T07:42:31"),
            "updated_at": None,
            "deleted_at": None,
            "id": 11,
            "instance_uuid": "5b1f0c52-9d0e-4c56-8d2b-0c1a3c0de001",
            "key": "image_owner_specified.openstack.md5",
            "value": "",
            "deleted": 0,
        },
        {
            "created_at": at("2026-11-22T07:42:31"),
            "updated_at": None,
            "deleted_at": None,
            "id": 12,
            "instance_uuid": "5b1f0c52-9d0e-4c56-8d2b-0c1a3c0de001",
            "key": "image_owner_specified.openstack.sha256",
            "value": "",
            "deleted": 0,
        },
        {
            "created_at": at("2026-11-22T07:42:31"),
            "updated_at": None,
            "deleted_at": None,
            "id": 13,
            "instance_uuid": "5b1f0c52-9d0e-4c56-8d2b-0c1a3c0de001",
            "key": "image_owner_specified.openstack.object",
            "value": "images/lab-image",
            "deleted": 0,
        },
        {
            "created_at": at("2026-11-22T07:42:31"),
            "updated_at": None,
            "deleted_at": None,
            "id": 14,
            "instance_uuid": "5b1f0c52-9d0e-4c56-8d2b-0c1a3c0de001",
            "key": "image_min_ram",
            "value": "0",
            "deleted": 0,
        },
        {
            "created_at": at("2026-11-22T07:42:31"),
            "updated_at": None,
            "deleted_at": None,
            "id": 15,
            "instance_uuid": "5b1f0c52-9d0e-4c56-8d2b-0c1a3c0de001",
            "key": "image_min_disk",
            "value": "1",
            "deleted": 0,
        },
        {
            "created_at": at("2026-11-22T07:42:31"),
            "updated_at": None,
            "deleted_at": None,
            "id": 16,
            "instance_uuid": "5b1f0c52-9d0e-4c56-8d2b-0c1a3c0de001",
            "key": "image_disk_format",
            "value": "raw",
            "deleted": 0,
        },
        {
            "created_at": at("2026-11-22T07:42:31"),
            "updated_at": None,
            "deleted_at": None,
            "id": 17,
            "instance_uuid": "5b1f0c52-9d0e-4c56-8d2b-0c1a3c0de001",
            "key": "image_container_format",
            "value": "bare",
            "deleted": 0,
        },
        {
            "created_at": at("2026-11-22T07:42:31"),
            "updated_at": None,
            "deleted_at": None,
            "id": 18,
            "instance_uuid": "5b1f0c52-9d0e-4c56-8d2b-0c1a3c0de001",
            "key": "image_base_image_ref",
            "value": "1a9e0000-0000-4000-8000-000000000001",
            "deleted": 0,
        },
        {
            "created_at": at("2026-11-22T07:42:31"),
            "updated_at": None,
            "deleted_at": None,
            "id": 19,
            "instance_uuid": "5b1f0c52-9d0e-4c56-8d2b-0c1a3c0de001",
            "key": "owner_user_name",
            "value": "demo",
            "deleted": 0,
        },
        {
            "created_at": at("2026-11-22T07:42:31"),
            "updated_at": None,
            "deleted_at": None,
            "id": 20,
            "instance_uuid": "5b1f0c52-9d0e-4c56-8d2b-0c1a3c0de001",
            "key": "owner_project_name",
            "value": "demo",
            "deleted": 0,
        },
    ],
    "instance_extra": [
        {
            "created_at": at("2026-11-22T07:42:31"),
            "updated_at": None,
            "deleted_at": None,
            "deleted": 0,
            "id": 2,
            "instance_uuid": "5b1f0c52-9d0e-4c56-8d2b-0c1a3c0de001",
            "numa_topology": None,
            "pci_requests": "[]",
            "flavor": '{"cur": {"nova_object.name": "Flavor", '
            '"nova_object.namespace": "nova", "nova_object.version": "1.2", '
            '"nova_object.data": {"id": 1, "name": "lab.tiny", "memory_mb": '
            '64, "vcpus": 1, "root_gb": 1, "ephemeral_gb": 0, "flavorid": '
            '"f1a00000-0000-4000-8000-000000000001", "swap": 0, '
            '"rxtx_factor": 1.0, "vcpu_weight": 0, "disabled": false, '
            '"is_public": true, "extra_specs": {}, "description": null, '
            '"created_at": "2026-11-22T06:18:18Z", "updated_at": null, '
            '"deleted_at": null, "deleted": false}}, "old": null, "new": '
            "null}",
            "vcpu_model": None,
            "migration_context": None,
            "keypairs": '{"nova_object.name": "KeyPairList", "nova_object.namespace": '
            '"nova", "nova_object.version": "1.3", "nova_object.data": '
            '{"objects": [{"nova_object.name": "KeyPair", '
            '"nova_object.namespace": "nova", "nova_object.version": '
            '"1.4", "nova_object.data": {"id": 1, "name": "kp1", '
            '"user_id": "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb2", '
            '"fingerprint": "00:11:22:33", "public_key": "ssh-ed25519 '
            'AAAAC3NzaC1lZDI1NTE5AAAAIA user@example\\n", "type": "ssh", '
            '"created_at": "2026-11-22T07:42:29Z", "updated_at": null, '
            '"deleted_at": null, "deleted": false}}]}}',
            "device_metadata": None,
            "trusted_certs": None,
            "vpmems": None,
            "resources": None,
        }
    ],
    "instance_faults": [
        {
            "created_at": at("2026-11-22T07:42:31"),
            "updated_at": None,
            "deleted_at": None,
            "id": 2,
            "instance_uuid": "5b1f0c52-9d0e-4c56-8d2b-0c1a3c0de001",
            "code": 500,
            "message": "No valid host was found. ",
            "details": "Traceback (most recent call last):\n"
            "  ...\n"
            "nova.exception.NoValidHost: No valid host was found.\n",
            "host": "controller",
            "deleted": 0,
        }
    ],
    "instance_metadata": [
        {
            "created_at": at("2026-11-22T07:42:31"),
            "updated_at": None,
            "deleted_at": None,
            "id": 1,
            "key": "k",
            "value": "v",
            "instance_uuid": "5b1f0c52-9d0e-4c56-8d2b-0c1a3c0de001",
            "deleted": 0,
        }
    ],
    "instance_info_caches": [
        {
            "created_at": at("2026-11-22T07:42:31"),
            "updated_at": None,
            "deleted_at": None,
            "id": 2,
            "network_info": "[]",
            "instance_uuid": "5b1f0c52-9d0e-4c56-8d2b-0c1a3c0de001",
            "deleted": 0,
        }
    ],
}
