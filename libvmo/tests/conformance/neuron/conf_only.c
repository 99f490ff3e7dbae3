/* SPDX-License-Identifier: Apache-2.0 */
/* Compiled once for all groups, and once with the name of each. */
#include "conformance/neuron/conf_only.h"

#include <stddef.h>

#ifdef CONF_ONLY
const char *const conf_only = CONF_ONLY;
#else
const char *const conf_only = NULL;
#endif
