/* SPDX-License-Identifier: Apache-2.0 */
/* The producer writes the return page. */
#include "mutant_stream_silent.c"
