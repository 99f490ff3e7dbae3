/* SPDX-License-Identifier: Apache-2.0 */
/* The consumer knows of the second publication. */
#include "mutant_stream_repeats_producer.c"
