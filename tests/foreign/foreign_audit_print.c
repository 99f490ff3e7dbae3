/* SPDX-License-Identifier: Apache-2.0 */
/* In place of core/audit_print.c: a kernel that says nothing of what it recorded. */
#include "core/audit_print.h"

void audit_print(const char *nonce, const char *age, enum audit_result result, int64_t status,
                 uint64_t instret)
{
    (void)nonce;
    (void)age;
    (void)result;
    (void)status;
    (void)instret;
}
