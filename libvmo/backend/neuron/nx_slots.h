/* SPDX-License-Identifier: Apache-2.0 */
/* The capability slots that the core's objects own. A ticket that names one of them is false. */
#ifndef NX_SLOTS_H
#define NX_SLOTS_H

#include <stdbool.h>
#include <stdint.h>

void nx_slot_own(int32_t slot, bool owned);
bool nx_slot_owned(int32_t slot);

#endif
