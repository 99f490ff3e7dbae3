/* SPDX-License-Identifier: Apache-2.0 */
/* Prints the audit's records (docs/testing/audit.md). */
#ifndef CORE_AUDIT_PRINT_H
#define CORE_AUDIT_PRINT_H

#include "core/audit_records.h"

/* Prints all lines. Closes the record of console lines first, so it does not contain these. */
void audit_print(const char *nonce, const char *revision, enum audit_result result, int64_t status,
                 uint64_t instret);

#endif
