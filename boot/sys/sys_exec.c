/* SPDX-License-Identifier: Apache-2.0 */
/* exec and exec_v2 (K-12..K-17, K-59). */
#include "core/audit.h"
#include "core/checked.h"
#include "core/config.h"
#include "core/lifecycle.h"
#include "core/usercopy.h"
#include "sys/handlers.h"

/* Reads the ELF, which is in the caller's memory. */
static void read_user(void *ctx, uint64_t off, void *dst, size_t n)
{
    const struct user_range *elf = ctx;
    user_read(elf, off, dst, n);
}

/* The answer for a refused file (K-13); 0 for a good one. */
static int64_t elf_answer(enum elf_status status)
{
    switch (status) {
    case ELF_OK:
        return 0;
    case ELF_WRITE_EXEC:
    case ELF_TOO_MANY_SEGMENTS:
        return -NX_EPERM;
    case ELF_SHARED_PAGE:
        return the_facts.overlap_error;
    case ELF_TOO_SHORT:
    case ELF_BAD_MAGIC:
    case ELF_BAD_CLASS:
    case ELF_BAD_DATA:
    case ELF_BAD_TYPE:
    case ELF_BAD_HEADER:
    case ELF_BAD_ENTRY:
    case ELF_NO_SEGMENT:
    case ELF_BAD_SEGMENT:
    case ELF_NO_SYMBOL:
        break;
    }
    return -NX_EINVAL;
}

/* K-17: an exec that is refused after its header was accepted takes an address space, too. */
static bool header_was_accepted(enum elf_status status)
{
    return status == ELF_OK || status == ELF_WRITE_EXEC || status == ELF_TOO_MANY_SEGMENTS ||
           status == ELF_SHARED_PAGE || status == ELF_NO_SEGMENT || status == ELF_BAD_SEGMENT;
}

static int64_t image_answer(enum image_status status)
{
    switch (status) {
    case IMAGE_OK:
        return 0;
    case IMAGE_OVERLAP:
        return elf_answer(ELF_SHARED_PAGE);
    case IMAGE_TOO_LARGE:
        break;
    }
    return -NX_EPERM;
}

static int64_t lifecycle_answer(const struct task *self, enum lifecycle_status status)
{
    switch (status) {
    case LIFECYCLE_OK:
        return 0;
    case LIFECYCLE_NO_TABLES:
        audit_hazard(self->pid, self->last_call, "K-17", "page-tables-run-out");
        return -NX_ENOMEM;
    case LIFECYCLE_NO_TASK:
        return -NX_ENOMEM;
    case LIFECYCLE_ARENA_UNMAPPED:
        audit_hazard(self->pid, self->last_call, "K-20", "crosses-the-mapped-arena");
        break;
    case LIFECYCLE_NO_MEMORY:
        break;
    }
    return -NX_EPERM; /* K-13: too large */
}

/* Reads the file, measures the image, and counts its address space. */
static int64_t decode_image(const struct task *self, const struct elf_source *source, struct elf_plan *plan,
                            const struct image *image, uint64_t *bytes)
{
    const enum elf_status status = elf_plan(source, plan);
    if (status == ELF_BAD_TYPE) {
        audit_hazard(self->pid, self->last_call, "K-13", "elf-type-not-looked-at");
    }
    if (!header_was_accepted(status)) {
        return elf_answer(status);
    }
    if (cap_find_kind(&self->caps, NX_SLOT_BOOTSTRAP, CAP_ENDPOINT, NX_RIGHT_SEND) == NULL) {
        return -NX_EPERM;
    }
    if (!lifecycle_take_space()) {
        audit_hazard(self->pid, self->last_call, "K-17", "one-address-space-too-many");
        return -NX_ENOMEM;
    }
    if (status != ELF_OK) {
        return elf_answer(status);
    }
    return image_answer(image_measure(image, bytes));
}

/* exec(elf, len, stack_pages, gp), with a name or "". */
static int64_t exec(const struct task *self, const uint64_t *args, struct user_range *elf, const char *name,
                    uint64_t sender_id)
{
    const struct elf_source source = {.read = read_user, .ctx = elf, .bytes = args[1]};
    struct elf_plan plan;
    const struct image image = {.source = &source, .plan = &plan, .stack_pages = args[2], .gp = args[3]};
    struct task *child;
    uint64_t bytes;
    const int64_t refusal = decode_image(self, &source, &plan, &image, &bytes);
    if (refusal != 0) {
        return refusal;
    }
    const enum lifecycle_status status = lifecycle_exec(self, name, &image, bytes, &child);
    if (status != LIFECYCLE_OK) {
        return lifecycle_answer(self, status);
    }
    child->sender_id = sender_id;
    return child->pid;
}

/* Makes the first checks: length, stack and the range of the file. */
static bool check_exec(const struct task *self, const uint64_t *args, struct user_range *elf)
{
    return args[1] != 0 && args[2] != 0 && user_range_check(self, args[0], args[1], NX_PROT_READ, elf);
}

int64_t sys_exec(struct task *self, const uint64_t *args)
{
    struct user_range elf;
    return check_exec(self, args, &elf) ? exec(self, args, &elf, "", 0) : -NX_EINVAL;
}

/* The 64-bit FNV-1a hash of the name: the sender id of the task's messages (K-59). It is 0 without a name,
 * as for exec; the real kernel's source does the same. */
static uint64_t name_hash(const char *name, uint64_t bytes)
{
    uint64_t hash = bytes == 0 ? 0 : UINT64_C(0xCBF29CE484222325);
    for (uint64_t i = 0; i < bytes; i++) {
        hash = (hash ^ (uint8_t)name[i]) * UINT64_C(0x100000001B3);
    }
    return hash;
}

/* exec_v2(elf, len, stack_pages, gp, name, name_len) */
int64_t sys_exec_v2(struct task *self, const uint64_t *args)
{
    char name[NX_NAME_MAX + 1] = {0};
    struct user_range elf, range;
    if (!check_exec(self, args, &elf) || args[5] > NX_NAME_MAX ||
        !user_range_check(self, args[4], args[5], NX_PROT_READ, &range)) {
        return -NX_EINVAL;
    }
    user_read(&range, 0, name, args[5]);
    return exec(self, args, &elf, name, name_hash(name, args[5]));
}
