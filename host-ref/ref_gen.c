/* SPDX-License-Identifier: Apache-2.0 */
#include "ref_gen.h"

static void group_next(struct ref_gen *gen)
{
    uint64_t z;

    gen->state += UINT64_C(0x9E3779B97F4A7C15);
    z = gen->state;
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    z ^= z >> 31;
    for (unsigned i = 0; i < sizeof gen->group; i++)
        gen->group[i] = (unsigned char)(z >> (8 * i));
    gen->given = 0;
}

void ref_gen_begin(struct ref_gen *gen, uint64_t seed)
{
    gen->state = seed;
    gen->given = sizeof gen->group;
}

void ref_gen_take(struct ref_gen *gen, unsigned char *to, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (gen->given == sizeof gen->group)
            group_next(gen);
        to[i] = gen->group[gen->given++];
    }
}
