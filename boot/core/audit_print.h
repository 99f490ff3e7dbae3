/* SPDX-License-Identifier: Apache-2.0 */
/* Prints what the audit has recorded (docs/testing/audit.md). */
#ifndef CORE_AUDIT_PRINT_H
#define CORE_AUDIT_PRINT_H

#include "core/audit_records.h"

/* Prints all lines, which are not recorded themselves; the console is quiet from then on. */
void audit_print(const char *nonce, const char *revision, enum audit_result result, int64_t status,
                 uint64_t instret);

#endif
