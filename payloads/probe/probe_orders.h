/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the probe and its children have agreed on. A child learns what to do from gp, which exec sets as it is
 * asked to (K-12). It finds in slot 1 where to report to, and in slot 2 what its order is about.
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
    ORDER_REPORT,     /* looks at itself, reports enum report, exits with CHILD_STATUS */
    ORDER_BLOCK,      /* two receives from the object that wait for ever; reports both answers */
    ORDER_STORE,      /* a store through a mapping of the object that must not be written */
    ORDER_GUARD,      /* a load from the page above its stack */
    ORDER_WRITE_ONLY, /* a1: a load through a mapping with write alone */
    ORDER_NO_USER,    /* a1: a load through a mapping without user */
    ORDER_HOLD,       /* a2: maps the object, closes it and exits */
    ORDER_SPIN,       /* a2: until the first word of the object is not 0 */
    ORDER_EXIT,       /* exits with 0 */
    ORDER_COUNT
};

#define CHILD_STATUS 7
#define CHILD_STATUS_NEGATIVE (-5)

/* The report of ORDER_REPORT: one 64-bit value each. */
enum report {
    REPORT_GP,
    REPORT_SP,
    REPORT_OTHERS, /* all other registers, or-ed */
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
    REPORT_REGIONS, /* how many it could map */
    REPORT_COUNT
};

#define CHILD_MARK UINT64_C(0x6b72616d5f646c63) /* what it writes to the object */
#define CHILD_FAILED 1

#endif
