# SPDX-License-Identifier: Apache-2.0
"""Runs that must fail: each case is a change to the good run of scripts/judge/tests/fixture.py and its red checks.

All other checks must stay green. If the audit is malformed, the checks that read it are not-checked.
This folder also has red logs as files, each with a .json of the same name.
"""
import cases_audit
import cases_authors
import cases_content
import cases_log
import cases_protocol
import cases_record
import cases_share
from case_table import CASES

SOURCES = (cases_log, cases_audit, cases_share, cases_content, cases_protocol, cases_record,
           cases_authors)
__all__ = ["CASES", "SOURCES"]
