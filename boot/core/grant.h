/* SPDX-License-Identifier: Apache-2.0 */
/* Reports capabilities that go from one task to another to the audit. */
#ifndef CORE_GRANT_H
#define CORE_GRANT_H

#include "core/audit_records.h"

/* Reports a capability that has arrived in a slot of the receiver. */
void grant_report(uint32_t from, uint32_t to, enum audit_grant_via via, uint32_t slot, const struct cap *cap);

#endif
