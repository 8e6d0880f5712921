#!/usr/bin/python
# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: run_report
short_description: Write the report of a run as a page, as JSON and as metrics
version_added: 0.4.0
author:
  - openstack_recovery.nova contributors (@openstack-recovery)
description:
  - Writes one HTML page that needs no network, no script and no other file, with what matters first,
    what to do for each failure, and a time line of every instance. The same is written as JSON.
  - Renews the history of all runs in the folder, C(index.html) and C(index.json), from the JSON files
    that lie there. Of runs that end at the same time none is lost.
  - Writes metrics for the textfile collector of Prometheus' node exporter, one file for each kind of
    run and its subject, with the newest run only.
  - Each file is replaced as a whole, so that nobody reads half of one.
  - Everything is done by an action plugin on the machine that Ansible runs on.
options:
  run:
    description:
      - What the run has done. It must state C(kind) (for example V(host_down)), C(subject) (for example
        the host) and C(run_id).
      - It may have C(check_mode), C(started_at) and C(finished_at) (ISO 8601, UTC unless they say otherwise),
        C(seconds), C(begun) (false when something before the work itself has ended the run), C(confirmation)
        and C(fencing) (what the roles C(confirm_host_failure) and C(fence_host) have found), and
        C(service_changes), C(plan), C(instances), C(totals), C(requests), C(error) and C(message) as the
        modules return them.
      - A C(message) without C(seconds) and C(error) says why the work did not come to its end.
      - Whatever else it has is kept in the JSON file.
    type: dict
    required: true
  name:
    description:
      - Name of the files, without a suffix. C(KIND-SUBJECT-RUN_ID) when empty.
      - That of a plan ends with C(-plan), that of a run that has ended before there was anything to tell of an
        instance with C(-refused).
    type: str
    default: ""
  folder:
    description: Existing folder for the report and the history. Empty for neither.
    type: str
    default: ""
  metrics_folder:
    description: Existing folder for the metrics. Empty for none. A plan has no metrics.
    type: str
    default: ""
  request_url:
    description:
      - Where the logs of a request are found. C({request_id}) stands for its id. Begins with C(https://)
        or C(http://), without a user and a password, which every page would show.
      - Request ids are plain text when empty.
    type: str
    default: ""
  file_mode:
    description:
      - Mode of the files of the report, four octal digits in quotes, for example V('0640').
      - That of metrics is C(0644), as another user reads them.
    type: str
    default: "0600"
attributes:
  check_mode:
    support: full
    description: Writes nothing, and returns the names of the files that would be written.
  diff_mode:
    support: full
    description: There is none, since a report is no state.
seealso:
  - ref: openstack_recovery.nova.recovery_report role <ansible_collections.openstack_recovery.nova.recovery_report_role>
    description: What the roles of this collection call at their end.
"""

EXAMPLES = r"""
- name: Report what a play of your own has done
  openstack_recovery.nova.run_report:
    run:
      kind: host_down
      subject: compute-1
      run_id: "{{ evacuated.run_id }}"
      seconds: "{{ evacuated.seconds }}"
      instances: "{{ evacuated.instances }}"
    folder: /var/log/recovery
    metrics_folder: /var/lib/prometheus/node-exporter
    request_url: https://logs.example.com/search?q={request_id}
"""

RETURN = r"""
verdict:
  description: The run in one sentence.
  returned: success
  type: str
  sample: All 12 instances of compute-1 were evacuated and verified
files:
  description:
    - Paths of what was written, C(page), C(data) (JSON), C(history) and C(metrics). In check mode of what would be.
  returned: success
  type: dict
  sample:
    page: /var/log/recovery/compute-1-20261122T030748-b329.html
    data: /var/log/recovery/compute-1-20261122T030748-b329.json
    history: /var/log/recovery/index.html
    metrics: /var/lib/prometheus/node-exporter/openstack_recovery_host_down_compute-1.prom
error:
  description:
    - What went wrong, as a C(code), whether it is C(retriable), C(details) and a C(request_id).
    - The codes are C(invalid_options), and C(report_not_written), whose details have the C(problems). What could
      be written was written all the same, without links when O(request_url) is wrong, and with V(0600) when
      O(file_mode) is.
  returned: failure
  type: dict
"""
