/* SPDX-License-Identifier: Apache-2.0 */
#include "core/elf.h"

#include <string.h>

#include "core/checked.h"
#include "elf64.h"

/* ELF64 tables are read directly into these structs and those of elf64.h. */
struct section_header {
    uint32_t name, type;
    uint64_t flags, addr, offset, size;
    uint32_t link, info;
    uint64_t addralign, entsize;
};

struct symbol {
    uint32_t name;
    uint8_t info, other;
    uint16_t shndx;
    uint64_t value, size;
};

_Static_assert(sizeof(struct section_header) == 64, "ELF64 section header");
_Static_assert(offsetof(struct section_header, link) == 40, "ELF64 section header: sh_link");
_Static_assert(sizeof(struct symbol) == 24, "ELF64 symbol");
_Static_assert(offsetof(struct symbol, value) == 8, "ELF64 symbol: st_value");

enum { SECTION_SYMTAB = 2, SECTION_STRTAB = 3, SYMBOL_UNDEFINED = 0 };
enum { PROGRAM_HEADERS_MAX = 64, SYMBOLS_A_READ = 16, NAME_BYTES_A_READ = 64 };

/* A segment must lie in [page 1, user top) outside the stack area. The area starts 1 MiB below 0x20000000,
 * enough for the largest stack, and ends with the guard page (K-11). */
#define USER_LOW_VA NX_PAGE_BYTES
#define USER_TOP_VA NX_USER_TOP
#define STACK_AREA_VA 0x1FF00000u
#define STACK_AREA_END_VA (NX_USER_STACK_TOP + NX_PAGE_BYTES)

static bool in_file(const struct elf_source *source, uint64_t off, uint64_t bytes)
{
    return range_inside(off, bytes, source->bytes);
}

/* Reads the header and makes the checks that elf_plan and elf_symbol share. */
static enum elf_status read_header(const struct elf_source *source, struct elf64_header *header)
{
    static const uint8_t magic[4] = {0x7f, 'E', 'L', 'F'};
    if (source->bytes < sizeof(*header)) {
        return ELF_TOO_SHORT;
    }
    source->read(source->ctx, 0, header, sizeof(*header));
    if (memcmp(header->ident, magic, sizeof(magic)) != 0) {
        return ELF_BAD_MAGIC;
    }
    if (header->ident[ELF64_AT_CLASS] != ELF64_CLASS) {
        return ELF_BAD_CLASS;
    }
    if (header->ident[ELF64_AT_DATA] != ELF64_DATA_LITTLE) {
        return ELF_BAD_DATA;
    }
    return ELF_OK;
}

static enum elf_status check_header(const struct elf_source *source, const struct elf64_header *header)
{
    if (header->type != ELF64_TYPE_EXEC || header->machine != ELF64_MACHINE_RISCV ||
        header->version != ELF64_VERSION || header->ident[ELF64_AT_VERSION] != ELF64_VERSION) {
        return ELF_BAD_TYPE;
    }
    if (header->phentsize != sizeof(struct elf64_program_header) || header->phnum < 1 ||
        header->phnum > PROGRAM_HEADERS_MAX ||
        !in_file(source, header->phoff, (uint64_t)header->phnum * header->phentsize)) {
        return ELF_BAD_HEADER;
    }
    return header->entry % 2 == 0 ? ELF_OK : ELF_BAD_ENTRY;
}

/* Sv39 has no write-only pages, so W implies R. */
static uint32_t segment_prot(uint32_t flags)
{
    uint32_t prot = 0;
    if ((flags & (ELF64_R | ELF64_W)) != 0) {
        prot |= NX_PROT_READ;
    }
    if ((flags & ELF64_W) != 0) {
        prot |= NX_PROT_WRITE;
    }
    if ((flags & ELF64_X) != 0) {
        prot |= NX_PROT_EXEC;
    }
    return prot;
}

/* Copies the loadable segments into the plan without checking them. */
static enum elf_status collect_segments(const struct elf_source *source, const struct elf64_header *header,
                                        struct elf_plan *plan)
{
    for (uint32_t i = 0; i < header->phnum; i++) {
        struct elf64_program_header ph;
        source->read(source->ctx, header->phoff + i * sizeof(ph), &ph, sizeof(ph));
        if (ph.type != ELF64_LOAD || ph.memsz == 0) {
            continue;
        }
        if (plan->segment_count == ELF_SEGMENTS_MAX) {
            return ELF_TOO_MANY_SEGMENTS;
        }
        /* A segment without file bytes may have any offset: it is never used. */
        plan->segments[plan->segment_count] = (struct elf_segment){
            .va = ph.vaddr,
            .mem_bytes = ph.memsz,
            .file_off = ph.filesz == 0 ? 0 : ph.offset,
            .file_bytes = ph.filesz,
            .prot = segment_prot(ph.flags),
        };
        plan->segment_count++;
    }
    return plan->segment_count == 0 ? ELF_NO_SEGMENT : ELF_OK;
}

/* Refuses a segment without permissions, too: its page table entries would read as pointers. */
static bool segment_fits(const struct elf_source *source, const struct elf_segment *segment)
{
    if (segment->file_bytes > segment->mem_bytes || segment->prot == 0 ||
        !in_file(source, segment->file_off, segment->file_bytes)) {
        return false;
    }
    if (segment->va < USER_LOW_VA || segment->va >= USER_TOP_VA ||
        segment->mem_bytes > USER_TOP_VA - segment->va) {
        return false;
    }
    return segment->va + segment->mem_bytes <= STACK_AREA_VA || segment->va >= STACK_AREA_END_VA;
}

static bool share_page(const struct elf_segment *a, const struct elf_segment *b)
{
    uint64_t a_first = a->va / NX_PAGE_BYTES, a_last = (a->va + a->mem_bytes - 1) / NX_PAGE_BYTES;
    uint64_t b_first = b->va / NX_PAGE_BYTES, b_last = (b->va + b->mem_bytes - 1) / NX_PAGE_BYTES;
    return a_first <= b_last && b_first <= a_last;
}

/* Checks one rule in each pass, so that the first refusal in the enum's order is reported. */
static enum elf_status check_segments(const struct elf_source *source, const struct elf_plan *plan)
{
    const uint32_t write_exec = NX_PROT_WRITE | NX_PROT_EXEC;
    for (uint32_t i = 0; i < plan->segment_count; i++) {
        if (!segment_fits(source, &plan->segments[i])) {
            return ELF_BAD_SEGMENT;
        }
    }
    for (uint32_t i = 0; i < plan->segment_count; i++) {
        if ((plan->segments[i].prot & write_exec) == write_exec) {
            return ELF_WRITE_EXEC;
        }
    }
    for (uint32_t i = 0; i < plan->segment_count; i++) {
        for (uint32_t j = 0; j < i; j++) {
            if (share_page(&plan->segments[i], &plan->segments[j])) {
                return ELF_SHARED_PAGE;
            }
        }
    }
    return ELF_OK;
}

/* The last check, because it needs valid segments. check_header has refused an odd entry. */
static enum elf_status check_entry(const struct elf_plan *plan)
{
    for (uint32_t i = 0; i < plan->segment_count; i++) {
        const struct elf_segment *segment = &plan->segments[i];
        if ((segment->prot & NX_PROT_EXEC) != 0 && plan->entry >= segment->va &&
            plan->entry - segment->va < segment->mem_bytes) {
            return ELF_OK;
        }
    }
    return ELF_BAD_ENTRY;
}

static uint64_t default_gp(const struct elf_plan *plan)
{
    for (uint32_t i = 0; i < plan->segment_count; i++) {
        if ((plan->segments[i].prot & NX_PROT_WRITE) != 0) {
            return plan->segments[i].va + 0x800;
        }
    }
    return plan->entry + 0x800;
}

static enum elf_status build_plan(const struct elf_source *source, struct elf_plan *plan)
{
    struct elf64_header header;
    enum elf_status status = read_header(source, &header);
    if (status == ELF_OK) {
        status = check_header(source, &header);
    }
    if (status == ELF_OK) {
        plan->entry = header.entry;
        status = collect_segments(source, &header, plan);
    }
    if (status == ELF_OK) {
        status = check_segments(source, plan);
    }
    if (status == ELF_OK) {
        status = check_entry(plan);
    }
    if (status == ELF_OK) {
        plan->gp_default = default_gp(plan);
    }
    return status;
}

enum elf_status elf_plan(const struct elf_source *source, struct elf_plan *plan)
{
    enum elf_status status;
    memset(plan, 0, sizeof(*plan));
    status = build_plan(source, plan);
    if (status != ELF_OK) {
        memset(plan, 0, sizeof(*plan));
    }
    return status;
}

/* ---- Symbols ------------------------------------------------------------------------------------- */

/* Finds the symbol table and its strings, and checks that both lie in the file. */
static enum elf_status find_symtab(const struct elf_source *source, const struct elf64_header *header,
                                   struct section_header *symtab, struct section_header *strtab)
{
    uint32_t i = 0;
    if (header->shentsize != sizeof(*symtab) ||
        !in_file(source, header->shoff, (uint64_t)header->shnum * header->shentsize)) {
        return ELF_NO_SYMBOL;
    }
    for (; i < header->shnum; i++) {
        source->read(source->ctx, header->shoff + i * sizeof(*symtab), symtab, sizeof(*symtab));
        if (symtab->type == SECTION_SYMTAB) {
            break;
        }
    }
    if (i == header->shnum || symtab->entsize != sizeof(struct symbol) || symtab->link >= header->shnum ||
        !in_file(source, symtab->offset, symtab->size)) {
        return ELF_NO_SYMBOL;
    }
    source->read(source->ctx, header->shoff + symtab->link * sizeof(*strtab), strtab, sizeof(*strtab));
    return strtab->type == SECTION_STRTAB && in_file(source, strtab->offset, strtab->size) ? ELF_OK
                                                                                           : ELF_NO_SYMBOL;
}

/* Returns ELF_OK if the string at name_off equals name. name_bytes includes the NUL. */
static enum elf_status compare_name(const struct elf_source *source, const struct section_header *strtab,
                                    uint32_t name_off, const char *name, size_t name_bytes)
{
    char chunk[NAME_BYTES_A_READ];
    if (name_off > strtab->size || name_bytes > strtab->size - name_off) {
        return ELF_NO_SYMBOL;
    }
    for (size_t done = 0; done < name_bytes; done += sizeof(chunk)) {
        size_t n = name_bytes - done < sizeof(chunk) ? name_bytes - done : sizeof(chunk);
        source->read(source->ctx, strtab->offset + name_off + done, chunk, n);
        if (memcmp(chunk, name + done, n) != 0) {
            return ELF_NO_SYMBOL;
        }
    }
    return ELF_OK;
}

enum elf_status elf_symbol(const struct elf_source *source, const char *name, uint64_t *value)
{
    struct elf64_header header;
    struct section_header symtab, strtab;
    struct symbol batch[SYMBOLS_A_READ];
    enum elf_status status = read_header(source, &header);
    if (status == ELF_OK) {
        status = find_symtab(source, &header, &symtab, &strtab);
    }
    if (status != ELF_OK) {
        return status;
    }
    for (uint64_t count = symtab.size / sizeof(batch[0]), done = 0; done < count; done += SYMBOLS_A_READ) {
        size_t n = count - done < SYMBOLS_A_READ ? (size_t)(count - done) : SYMBOLS_A_READ;
        source->read(source->ctx, symtab.offset + done * sizeof(batch[0]), batch, n * sizeof(batch[0]));
        for (size_t i = 0; i < n; i++) {
            if (batch[i].shndx == SYMBOL_UNDEFINED) {
                continue;
            }
            status = compare_name(source, &strtab, batch[i].name, name, strlen(name) + 1);
            if (status == ELF_OK) {
                *value = batch[i].value;
            }
            if (status != ELF_NO_SYMBOL) {
                return status;
            }
        }
    }
    return ELF_NO_SYMBOL;
}

const char *elf_status_name(enum elf_status status)
{
    static const char *const names[] = {
        [ELF_OK] = "ok",
        [ELF_TOO_SHORT] = "too-short",
        [ELF_BAD_MAGIC] = "bad-magic",
        [ELF_BAD_CLASS] = "bad-class",
        [ELF_BAD_DATA] = "bad-data",
        [ELF_BAD_TYPE] = "bad-type",
        [ELF_BAD_HEADER] = "bad-header",
        [ELF_BAD_ENTRY] = "bad-entry",
        [ELF_NO_SEGMENT] = "no-segment",
        [ELF_TOO_MANY_SEGMENTS] = "too-many-segments",
        [ELF_BAD_SEGMENT] = "bad-segment",
        [ELF_WRITE_EXEC] = "write-exec",
        [ELF_SHARED_PAGE] = "shared-page",
        [ELF_NO_SYMBOL] = "no-symbol",
    };
    return (size_t)status < sizeof(names) / sizeof(names[0]) ? names[status] : "unknown";
}
