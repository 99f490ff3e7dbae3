/* SPDX-License-Identifier: Apache-2.0 */
/* Compiled once for each group, with its name. */
#include "conformance/neuron/conf_only.h"

#include <stddef.h>

#ifdef CONF_ONLY
const char *const conf_only = CONF_ONLY;
#else
const char *const conf_only = NULL;
#endif
