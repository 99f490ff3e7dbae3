# SPDX-License-Identifier: Apache-2.0
"""What the suites that are not the proof hold against an audit. The proof has the judge."""
from judge import audit as audits


def hazard_faults(audit):
    return list(map("hazard {id} {what}, pid {pid}, call {call}".format_map, audit["hazard"]))


def end_faults(audit, must_fit):
    """Init did not end well, or a table of must_fit overflowed."""
    ending = audits.words(audit.one("result"), "init status")
    faults = [] if ending == audits.DONE else [ending]
    lost = zip(audit["overflow"], audits.overflow_faults(audit))
    return faults + [text for record, text in lost if record["kind"] in must_fit]
