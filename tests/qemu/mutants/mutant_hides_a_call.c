/* SPDX-License-Identifier: Apache-2.0 */
/* The consumer makes a call from the middle of another instruction, where no reader of its text expects one.
 */
#include "nexus_abi.h"
#include "vmo/sha256.h"

vmo_status __real_vmo_view_sha256(struct vmo_registry *registry, vmo_view_t view,
                                  uint8_t digest[VMO_SHA256_BYTES]);
vmo_status __wrap_vmo_view_sha256(struct vmo_registry *registry, vmo_view_t view,
                                  uint8_t digest[VMO_SHA256_BYTES]);

vmo_status __wrap_vmo_view_sha256(struct vmo_registry *registry, vmo_view_t view,
                                  uint8_t digest[VMO_SHA256_BYTES])
{
    __asm__ volatile("li a7, %0\n"
                     "j 1f + 2\n"
                     "1: .half 0x0013, 0x0073, 0x0000\n" /* addi zero, t1, 7 and nothing; from 2 on: ecall */
                     :
                     : "i"(NX_SYS_GETPID)
                     : "a0", "a1", "a7", "t0", "t1", "t2", "memory");
    return __real_vmo_view_sha256(registry, view, digest);
}
