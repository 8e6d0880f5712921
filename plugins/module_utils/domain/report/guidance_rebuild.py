# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What to do about the error codes of never-booted instances and of Nova's databases."""

from __future__ import annotations

_NOT_NOW = "It cannot be rebuilt at this moment. "
_INSTANCES = {
    "refused": "Put right what is said of each instance, then run again. Nothing was changed.",
    "not_all_built": "See to what is named below, then run again: what is active is left alone.",
    "buried_again": "There was no room for it. Make room (playbook make_room_and_rebuild), or rebuild it"
    " with another flavor.",
    "died": "Its build failed on a host. Look at the fault and at that host's nova-compute log, then run"
    " again.",
    "message_in_doubt": "It is not known whether the conductor was asked. Run again: it is waited for, and"
    " never asked twice.",
    "message_refused": "The message bus refused the message: look at its log, then run again.",
    "message_unroutable": "No conductor takes messages: start nova-conductor, then run again.",
    "conductor_not_listening": "Start nova-conductor, then run again.",
    "conductor_queue_missing": "Nova's conductor has no queue on this bus: check transport_url, and that"
    " nova-conductor runs.",
    "queue_not_drained": _NOT_NOW
    + "Messages still wait for the conductor: see that it works, then run"
    " again.",
    "still_building": "Nova works on it. Wait, then run again.",
    "being_built": "Nova works on it. Wait, then run again.",
    "stuck": "Nova has not finished it in time. Look at nova-conductor and nova-compute by its request id,"
    " then run again.",
    "not_prepared": "Prepare it with cell0_rebuild_prep first; the playbook rebuild_never_booted does so.",
    "already_prepared": "An earlier run has prepared it. Run rebuild_never_booted, or put it back with"
    " restore_buried.",
    "has_booted": "It has run before, so it is not built anew. Look at it as at any other instance.",
    "on_host": "It is on a host already: there is nothing to rebuild.",
    "burial_unfinished": "Nova has not finished putting it into cell0. Wait a minute, then run again.",
    "changed_meanwhile": "Somebody else has changed it meanwhile. Look who, then run again.",
    "database_conflict": "Another transaction was in the way. Run again.",
    "no_copy": "There is no copy in the journal, so it cannot be put back. It can still be built.",
    "no_build_request": "Nova has no BuildRequest of it: run cell0_instance_info to see what it is.",
    "request_spec_missing": "Nova has lost what it was asked for. Restore it from the journal, or build the"
    " instance anew.",
    "request_spec_changed": "Somebody else has changed the request meanwhile. Run again.",
    "build_input_mismatch": "What Nova has of it does not fit together. Look at it with cell0_instance_info.",
    "networks_unknown": "Nobody knows its networks. State them with network_request, or let a source find"
    " them (rebuild_never_booted_network_source).",
    "invalid_networks": "Correct the networks that were stated. Nothing was changed.",
    "rows_in_several_cells": "Its rows lie in more than one cell. Ask whoever knows the cells; nothing was"
    " changed.",
    "rows_left": "Rows of it are left that nobody reaches. Run again to remove them.",
    "rows_missing": "Rows of it are missing. Look at it with cell0_instance_info.",
    "rows_not_in_cell": "Its rows are not in the cell that was named. Compare with instance_cell_mapping.",
    "unexpected_cell": "It is mapped to another cell than was stated. Compare with instance_cell_mapping.",
    "cell_ambiguous": "Several cells have this name: state the UUID.",
    "cell_not_found": "There is no such cell: compare with 'nova-manage cell_v2 list_cells'.",
    "no_cell0": "Nova's API database has no cell0: check that nova.conf is that of this cloud.",
    "unexpected_object": "Nova has stored something that is not known here. Compare Nova's release with those"
    " that are tested.",
    "untested_release": "This release of Nova was not tested. Try it on a test cloud, then state"
    " allow_untested_release.",
}
_IMAGES_AND_FLAVORS = {
    "image_gone": "Its image is gone. State another image.",
    "image_not_found": "There is no such image: compare with 'openstack image list --all'.",
    "image_not_active": "The image cannot be used at present. Activate it, or state another image.",
    "image_not_accessible": "Its project may not use the image. Share it, or state another one.",
    "image_not_bootable": "Nothing boots from this image: state another one.",
    "image_ambiguous": "Several images have this name: state the id.",
    "image_needs_nova": "Only Nova itself can take this image in. Build the instance anew, or state another"
    " image.",
    "image_property_invalid": "Correct the image's property that is named, or state another image.",
    "flavor_not_found": "There is no such flavor: compare with 'openstack flavor list --all'.",
    "flavor_disabled": "The flavor is disabled: enable it, or state another one.",
    "flavor_not_accessible": "The project may not use the flavor: give it access, or state another one.",
    "flavor_disk_too_small": "The flavor's disk is smaller than the image or the disk needs. State a bigger"
    " one.",
    "flavor_memory_too_small": "The flavor has less memory than the image needs. State a bigger one.",
    "flavor_without_disk": "The flavor has no disk: state one that has.",
    "flavor_image_conflict": "The flavor and the image ask for different things. State a pair that fits.",
    "flavor_needs_nova": "Only Nova itself can take this flavor in. Build the instance anew, or state"
    " another one.",
    "auto_disk_config_disabled": "The image forbids to resize its disk: state a flavor with the same disk.",
    "devices_named": "Its devices have names that the other image would change. Keep its image.",
    "disks_need_nova": "Only Nova itself can change its disks. Build the instance anew.",
    "local_disks": "Its local disks cannot be changed like this. Keep the flavor's disks.",
    "ports_need_nova": "Only Nova itself can bind its ports anew. Keep its flavor.",
    "volume_backed": "It boots from a volume, which keeps its image. Leave the image out.",
    "volume_gone": "One of its volumes is gone. Restore it, or build the instance anew.",
    "volume_not_available": "One of its volumes is in use or broken. See to it in Cinder, then run again.",
}
_NETWORKS = {
    "networks_incomplete": "Not all of its networks are known: state all of them.",
    "network_request_refused": "The networks cannot be had as they were stated: see what is said of each.",
    "network_gone": "The network is gone: state another one.",
    "network_ambiguous": "Several networks have this name: state the id.",
    "network_external": "Its project may not boot on an external network: state another one.",
    "network_not_visible": "The project does not see this network: share it, or state another one.",
    "network_without_subnet": "The network has no subnet: add one, or state another network.",
    "port_gone": "The port is gone: state another one, or its network.",
    "port_taken": "The port belongs to another instance: state another one.",
    "port_ambiguous": "Several ports have this name: state the id.",
    "port_not_visible": "The port is of another project: state one of its own.",
    "port_binding_failed": "The port could not be bound: look at the network agents.",
    "port_duplicate": "The port was stated twice.",
    "port_without_address": "The port has no address: give it one, or state another one.",
    "port_accelerator": "Ports with accelerators are left to Nova: build the instance anew.",
    "port_dns_name": "The port's DNS name is not the instance's: change it, or state another port.",
    "port_qos": "The port's guaranteed bandwidth is left to Nova: build the instance anew.",
    "port_sriov": "SR-IOV ports are left to Nova: build the instance anew.",
    "address_duplicate": "The address was stated twice.",
    "address_outside_subnets": "The address is in no subnet of the network: state another one.",
    "address_taken": "The address is in use: state another one, or leave it out.",
    "auto_allocation_unavailable": "Neutron cannot make a network for the project: state a network.",
}
_DATABASES = {
    "nova_conf_missing": "Run this on a controller, or state nova_conf. Nothing was done.",
    "nova_conf_unreadable": "Run this as a user who may read nova.conf (-b). Nothing was done.",
    "nova_conf_invalid": "Correct the nova.conf that is named. Nothing was done.",
    "option_invalid": "Correct the option in nova.conf that is named. Nothing was done.",
    "option_missing": "The option that is named is not in nova.conf: add it, or state it.",
    "transport_url_invalid": "Correct transport_url. Nothing was done.",
    "database_url_invalid": "Correct the database's URL. Nothing was done.",
    "database_not_supported": "Only MariaDB and MySQL are supported. Nothing was done.",
    "cell_template_unfilled": "A cell's URL is a template whose values are not in nova.conf. Run this where"
    " Nova's own nova.conf lies.",
    "database_unavailable": "The database does not answer. See to it, then run again.",
    "database_auth_failed": "The database refused the login: check the account in nova.conf.",
    "database_no_grant": "The account may not do this: give it the right that is named.",
    "database_unknown": "There is no such database: check the URL.",
    "database_schema_unknown": "The schema is not that of a known Nova. Compare with the releases that are"
    " tested.",
    "database_read_only": "The database only reads: use the one that is written to.",
    "database_packet_too_big": "Raise max_allowed_packet of the database, then run again.",
    "database_tls_error": "The database's certificate is not trusted: check ssl_ca in its URL.",
    "database_duplicate": "Another run has begun the same. Wait for it, then run again.",
    "database_error": "The database refused a statement. Look at the message, then run again.",
    "transaction_open": "A defect of this collection: a transaction was left open. Please report it.",
    "journal_not_visible": "The account does not see the journal's schema: give it the rights, with the role"
    " recovery_journal.",
    "journal_too_new": "A newer version of this collection has written the journal: use that one.",
    "message_bus_unavailable": "The message bus does not answer. See to RabbitMQ, then run again.",
    "message_bus_auth_failed": "The message bus refused the login: check transport_url.",
    "message_bus_tls_error": "The message bus' certificate is not trusted: check ssl_ca_file in nova.conf.",
    "no_identity": "The login has no user or no project that the build could run as: log in to a project.",
    "no_role_in_project": "The user has no role in the instance's project. Give it one, or leave out"
    " project_token.",
    "token_too_short": "The token would end before the build. Raise Keystone's expiration, or lower"
    " build_timeout.",
    "catalog_incomplete": "The catalog misses a service that a build needs: add its endpoint.",
    "project_not_found": "There is no such project.",
    "project_ambiguous": "Several projects have this name: state the id.",
}
REBUILD = {**_INSTANCES, **_IMAGES_AND_FLAVORS, **_NETWORKS, **_DATABASES}
