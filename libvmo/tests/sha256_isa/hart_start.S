/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Start and end of the program on a bare hart, in machine mode: sets the stack, calls hart_main, and makes QEMU
 * exit with its answer. A trap exits with its cause: 2 is an instruction that this hart lacks.
 */
#define FINISHER 0x100000 /* of QEMU's virt machine */
#define PASS 0x5555
#define FAIL 0x3333 /* with the exit code in the upper half */

    .section .text.init.enter, "ax" /* picolibc.ld puts it first, where QEMU jumps */
    .globl _start
_start:
    la      t0, trapped
    csrw    mtvec, t0
    la      sp, stack_end
    call    hart_main
    j       finish

    .balign 4
trapped:
    csrr    a0, mcause

/* a0: the exit code */
finish:
    li      t0, FINISHER
    li      t1, PASS
    beqz    a0, 1f
    slli    a0, a0, 16
    li      t1, FAIL
    or      t1, t1, a0
1:  sw      t1, 0(t0)
2:  j       2b

    .bss
    .balign 16
stack:
    .skip 8192
stack_end:
