/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The protocol of the probe and its children. exec passes the order in gp (K-12). Slot 1 is the endpoint for
 * the report, slot 2 the order's object.
 */
#ifndef PROBE_ORDERS_H
#define PROBE_ORDERS_H

#include <stdint.h>

#define CHILD_STACK_PAGES 1
#define CHILD_SLOT_REPORT 1
#define CHILD_SLOT_OBJECT 2

/* gp - ORDER_GP is the order; any other gp is ORDER_HELLO. */
#define ORDER_GP UINT64_C(0x51000000)
enum order {
    ORDER_HELLO,      /* reports gp, exits with CHILD_STATUS_NEGATIVE */
    ORDER_REPORT,     /* reports its own state (enum report), exits with CHILD_STATUS */
    ORDER_BLOCK,      /* receives twice from the object without a deadline; reports both answers */
    ORDER_STORE,      /* stores through a read-only mapping of the object */
    ORDER_GUARD,      /* loads from the page above its stack */
    ORDER_WRITE_ONLY, /* a1: loads through a write-only mapping */
    ORDER_NO_USER,    /* a1: loads through a mapping without USER */
    ORDER_HOLD,       /* a2: maps the object, closes it and exits */
    ORDER_SPIN,       /* a2: spins until the first word of the object is not 0 */
    ORDER_EXIT,       /* exits with 0 */
    ORDER_COUNT
};

#define CHILD_STATUS 7
#define CHILD_STATUS_NEGATIVE (-5)

/* The values of ORDER_REPORT's report, 64 bits each. */
enum report {
    REPORT_GP,
    REPORT_SP,
    REPORT_OTHERS, /* all other registers, ORed */
    REPORT_STACK_TOP,
    REPORT_STACK_BOTTOM,
    REPORT_PID,
    REPORT_EP_CREATE,
    REPORT_WAIT,
    REPORT_BOOTSTRAP,
    REPORT_WRITE,
    REPORT_NARROWED,
    REPORT_TO_PARENT,
    REPORT_CREATE,
    REPORT_UNMAP_SELF,
    REPORT_REGIONS, /* the number it could map */
    REPORT_COUNT
};

#define CHILD_MARK UINT64_C(0x6b72616d5f646c63) /* the child writes it to the object */
#define CHILD_FAILED 1

#endif
