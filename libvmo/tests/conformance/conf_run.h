/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the two files that run cases. */
#ifndef CONF_RUN_H
#define CONF_RUN_H

#include <stdbool.h>

/* Returns false if a check in `run` failed and was printed. */
bool conf_guarded(void (*run)(void));

#endif
