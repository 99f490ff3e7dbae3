/* SPDX-License-Identifier: Apache-2.0 */
/* The supervisor registers and fences (RISC-V privileged specification, chapter 4). */
#ifndef ARCH_CSR_H
#define ARCH_CSR_H

#include <stdint.h>

#define CSR_READ(name, out) __asm__ volatile("csrr %0, " #name : "=r"(out)::"memory")
#define CSR_WRITE(name, value) __asm__ volatile("csrw " #name ", %0" ::"r"((uint64_t)(value)) : "memory")
#define CSR_CLEAR(name, bits) __asm__ volatile("csrc " #name ", %0" ::"r"((uint64_t)(bits)) : "memory")

#define SSTATUS_SIE (UINT64_C(1) << 1)
#define SSTATUS_SPP (UINT64_C(1) << 8)
#define SSTATUS_FS (UINT64_C(3) << 13)
#define SSTATUS_SUM (UINT64_C(1) << 18)
#define SIE_STIE (UINT64_C(1) << 5)
#define SATP_SV39 (UINT64_C(8) << 60)
#define SCOUNTEREN_ALL 7 /* cycle, time, instret readable from U-mode */

#define SCAUSE_INTERRUPT (UINT64_C(1) << 63)
#define SCAUSE_TIMER (SCAUSE_INTERRUPT | 5)
#define SCAUSE_FETCH_FAULT 1
#define SCAUSE_ILLEGAL 2
#define SCAUSE_BREAKPOINT 3
#define SCAUSE_LOAD_FAULT 5
#define SCAUSE_STORE_FAULT 7
#define SCAUSE_ECALL_U 8
#define SCAUSE_FETCH_PAGE 12
#define SCAUSE_LOAD_PAGE 13
#define SCAUSE_STORE_PAGE 15

#endif
