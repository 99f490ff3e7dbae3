/* SPDX-License-Identifier: Apache-2.0 */
/* ELF files that exec refuses (K-13), and a child with a changed ELF file and a long name (K-12, K-59). */
#include "probe/probe.h"
#include "probe/probe_elf.h"

#define SHORTEST 64
#define GP_AHEAD 0x800 /* K-12 */
#define NAME_64 "a-name-of-sixty-four-bytes-is-the-longest-that-a-child-can-have."

_Static_assert(sizeof(NAME_64) == NX_NAME_MAX + 1, "64 bytes");

static uint8_t copy[0x10000];

/* Copies the child's file. Returns false if it does not fit. */
static bool copied(void)
{
    const bool fits = probe_child_elf_bytes <= sizeof(copy);
    memcpy(copy, probe_child_elf, fits ? probe_child_elf_bytes : 0);
    return fits;
}

static void put_header(const struct elf64_header *header)
{
    memcpy(copy, header, sizeof(*header));
}

static void put_segment(unsigned index, const struct elf64_program_header *segment)
{
    memcpy(copy + elf_segment_off(copy, index), segment, sizeof(*segment));
}

static unsigned writable_segment(void)
{
    unsigned i = 0;
    while (i + 1 < elf_segments(copy) && (elf_segment(copy, i).flags & ELF64_W) == 0) {
        i++;
    }
    return i;
}

static void arguments(void)
{
    static const uint8_t zeros[PAGE];
    static const char name[NX_NAME_MAX + 1] = "x";
    const uint64_t elf = at(probe_child_elf), bytes = probe_child_elf_bytes;
    const struct probe_case list[] = {
        {"K-13.len-0", "length 0", {elf, 0, 1, 0}},
        {"K-13.pages-0", "no stack pages", {elf, bytes, 0, 0}},
        {"K-13.null", "null pointer", {0, bytes, 1, 0}},
        {"K-13.short", "63 bytes", {elf, SHORTEST - 1, 1, 0}},
        {"K-13.magic", "bad magic", {at(zeros), PAGE, 1, 0}},
    };
    const struct probe_case list_v2[] = {
        {"K-13.v2-len-0", "length 0", {elf, 0, 1, 0, at(name), 1}},
        {"K-13.v2-pages-0", "no stack pages", {elf, bytes, 0, 0, at(name), 1}},
        {"K-13.v2-null", "null pointer", {0, bytes, 1, 0, at(name), 1}},
        {"K-13.v2-short", "63 bytes", {elf, SHORTEST - 1, 1, 0, at(name), 1}},
        {"K-13.v2-magic", "bad magic", {at(zeros), PAGE, 1, 0, at(name), 1}},
        {"K-59.name-65", "bad magic, a name of 65 bytes", {at(zeros), PAGE, 1, 0, at(name), NX_NAME_MAX + 1}},
    };
    rows_of(NX_SYS_EXEC, list, COUNT_OF(list));
    rows_of(NX_SYS_EXEC_V2, list_v2, COUNT_OF(list_v2));
}

static int64_t exec_copy(void)
{
    return CALL(NX_SYS_EXEC, at(copy), probe_child_elf_bytes, CHILD_STACK_PAGES, ORDER_GP + ORDER_EXIT);
}

static void row_refused(const char *id, const char *what, const struct elf64_header *header)
{
    put_header(header);
    const int64_t answer = exec_copy();
    row_if(id, "exec", what, answer < 0, "refused", answer);
}

static void headers(void)
{
    const struct elf64_header good = elf_header(copy);
    struct elf64_header class32 = good, big_endian = good, odd = good, no_size = good;
    class32.ident[ELF64_AT_CLASS] = 1;
    big_endian.ident[ELF64_AT_DATA] = 2;
    odd.entry++;
    no_size.phentsize = 0;
    row_refused("K-13.class-32", "class 32", &class32);
    row_refused("K-13.big-endian", "big-endian", &big_endian);
    row_refused("K-13.odd-entry", "an odd entry", &odd);
    row_refused("K-13.phentsize-0", "phentsize 0", &no_size);
    put_header(&good);
}

static void segments(void)
{
    const unsigned writable = writable_segment();
    const struct elf64_program_header data = elf_segment(copy, writable), rodata = elf_segment(copy, 1);
    struct elf64_program_header changed = data;
    changed.flags |= ELF64_X;
    put_segment(writable, &changed);
    row("K-13.write-exec", "exec", "a segment with write and exec", exec_copy());
    put_segment(writable, &data);
    changed = rodata;
    changed.vaddr = elf_segment(copy, 0).vaddr;
    put_segment(1, &changed);
    row("K-13.shared-page", "exec", "segments that share a page", exec_copy());
    put_segment(1, &rodata);
}

/* Closes slot 0 for one call and restores it from a clone. */
static void without_send(void)
{
    const uint64_t kept = (uint64_t)CALL(NX_SYS_CAP_CLONE, BOOTSTRAP);
    (void)CALL(NX_SYS_CAP_CLOSE, BOOTSTRAP);
    row("K-13.no-send", "exec", "no send in slot 0", exec_copy());
    row_slot("K-15.slot-0", "cap_clone", "slot 0 is free", CALL(NX_SYS_CAP_CLONE, kept), BOOTSTRAP);
    close_slots(kept, kept);
}

static void named_child(void)
{
    const unsigned writable = writable_segment();
    struct elf64_program_header segment = elf_segment(copy, writable);
    struct child child;
    segment.type = ELF64_IGNORED;
    put_segment(writable, &segment);
    child_exec(&child, ORDER_HELLO, NAME_64, copy);
    child_run(&child);
    const int64_t gp = row_name("K-59.name-64", "sender id of a name of 64 bytes", &child, NAME_64);
    row_if("K-12.no-writable", "start", "gp without a writable segment",
           gp == (int64_t)(elf_header(copy).entry + GP_AHEAD), "entry-plus-0x800", 0);
    (void)child_reap(&child, child_ended(&child), child.pid);
}

void probe_elf(void)
{
    arguments();
    if (!copied()) {
        return;
    }
    headers();
    segments();
    without_send();
    ROW("K-63.refused", "any, after the refusals", NX_SYS_WAIT, 0);
    named_child();
}
