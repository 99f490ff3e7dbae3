# SPDX-License-Identifier: Apache-2.0
"""Runs that must fail: each is one change to the good run of scripts/judge/tests/fixture.py, with the checks that it turns red.

All other checks must stay green, but for those that read the audit when the audit is not in form:
these say not-checked. Logs kept as files stand beside this one, each with a .json of the same name.
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
