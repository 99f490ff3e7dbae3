/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VMO_NAME_H
#define VMO_NAME_H

#include <stdbool.h>

/* True for 1 to VMO_NAME_MAX_BYTES printable ASCII characters. Reads at most one byte more. */
bool name_holds(const char *name);

#endif
