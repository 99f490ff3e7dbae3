/* SPDX-License-Identifier: Apache-2.0 */
/* VMOs: K-20, K-21, K-28 to K-30. */
#include <string.h>

#include "model/model_kind.h"

#define DROP_FROM (MODEL_VMOS - 16) /* the model drops unreachable VMOs from this number on */

uint32_t vmo_count(const struct model *m)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < MODEL_VMOS; i++) {
        count += m->vmos[i].live;
    }
    return count;
}

uint32_t vmo_new(struct model *m, uint64_t bytes)
{
    for (uint32_t i = 0; i < MODEL_VMOS; i++) {
        if (m->vmos[i].live) {
            continue;
        }
        m->vmos[i] = (struct model_vmo){.live = true, .bytes = bytes};
        m->arena_used += bytes;
        return i;
    }
    return MODEL_NONE;
}

/* Removes the record. The caller accounts for the bytes. */
static void drop(struct model *m, uint32_t vmo)
{
    uint32_t kept = 0;
    m->vmos[vmo].live = false;
    for (uint32_t i = 0; i < m->write_count; i++) {
        if (m->writes[i].vmo != vmo) {
            m->writes[kept++] = m->writes[i];
        }
    }
    m->write_count = kept;
}

void vmo_free(struct model *m, uint32_t vmo)
{
    m->arena_used -= m->vmos[vmo].bytes;
    drop(m, vmo);
}

static bool is_reachable(const struct model *m, uint32_t vmo)
{
    return count_caps(m, vmo) > 0 || count_moving(m, vmo) > 0 || any_map_of(m, MAPPED_BY_MAP, vmo) ||
           any_map_of(m, MAPPED_BY_VM_MAP, vmo) || any_map_of(m, MAPPED_BY_AS_MAP, vmo);
}

/* Closing the last capability does not free the memory (K-41), so an unreachable VMO's bytes are leaked. */
void vmo_drop_unreachable(struct model *m)
{
    if (vmo_count(m) < DROP_FROM) {
        return;
    }
    for (uint32_t vmo = OP_CONTROLS; vmo < MODEL_VMOS; vmo++) {
        if (!m->vmos[vmo].live || is_reachable(m, vmo)) {
            continue;
        }
        m->leaked_vmos++;
        drop(m, vmo);
    }
}

/* ---- Contents ------------------------------------------------------------------------------------------ */

static bool covers(const struct model_write *later, const struct model_write *write)
{
    return later->vmo == write->vmo && later->off <= write->off &&
           write->off + write->len <= later->off + later->len;
}

void contents_write(struct model *m, const struct model_write *write)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < m->write_count; i++) {
        if (!covers(write, &m->writes[i])) {
            m->writes[kept++] = m->writes[i];
        }
    }
    if (kept == MODEL_WRITES) {
        m->vmos[m->writes[0].vmo].forgot = true;
        memmove(&m->writes[0], &m->writes[1], (MODEL_WRITES - 1) * sizeof(m->writes[0]));
        kept--;
    }
    m->writes[kept] = *write;
    m->write_count = kept + 1;
}

uint8_t byte_of(const struct model_bytes *bytes, uint64_t i)
{
    return bytes->form == BYTES_OF_PATTERN ? op_pattern(bytes->fill, i) : bytes->literal[i];
}

/* The part of the write that lies in [off, off + len), from *from to *to. */
static bool part_of(const struct model_write *write, uint64_t off, uint64_t len, uint64_t *from, uint64_t *to)
{
    const uint64_t end = off + len, write_end = write->off + write->len;
    *from = write->off > off ? write->off : off;
    *to = write_end < end ? write_end : end;
    return *from < *to;
}

bool contents_read(const struct model *m, uint32_t vmo, uint64_t off, uint8_t *bytes, uint64_t len)
{
    uint64_t from, to;
    bool known = !m->vmos[vmo].forgot;
    memset(bytes, 0, len); /* K-20 */
    for (uint32_t i = 0; i < m->write_count; i++) {
        const struct model_write *write = &m->writes[i];
        if (write->vmo != vmo || !part_of(write, off, len, &from, &to)) {
            continue;
        }
        for (uint64_t at = from; at < to; at++) {
            bytes[at - off] = byte_of(&write->bytes, at - write->off);
        }
        known = known && write->bytes.form != BYTES_UNKNOWN;
    }
    return known;
}

struct model_bytes contents_copy(const struct model *m, uint32_t vmo, uint64_t off, uint64_t len)
{
    struct model_bytes bytes = {.form = BYTES_LITERAL};
    if (!contents_read(m, vmo, off, bytes.literal, len)) {
        bytes.form = BYTES_UNKNOWN;
    }
    return bytes;
}

/* ---- Create -------------------------------------------------------------------------------------------- */

/* The answer of a create with a valid slot: `slot` or an error. */
static bool expect_create(struct turn *t, uint64_t bytes, int64_t slot)
{
    const struct model *m = t->m;
    const uint64_t free = m->limits.arena_bytes - m->arena_used;
    if (bytes > free) {
        return expect_a0(t, -NX_EPERM);
    }
    if (m->limits.is_a1) {
        return expect_a0(t, slot);
    }
    /* n ranges leave at most n + 1 holes. If every hole is too small, this bounds the free bytes. */
    const uint64_t holes = vmo_count(m) + m->leaked_vmos + 1;
    if (free > holes * (bytes - NX_PAGE_BYTES)) {
        return expect_a0(t, slot);
    }
    return expect_either(t, slot, -NX_EPERM);
}

static void create_with_slot(struct turn *t, uint64_t bytes, uint64_t slot)
{
    if (!expect_create(t, bytes, (int64_t)slot) || t->answer->a0 < 0) {
        return;
    }
    const uint32_t vmo = vmo_new(t->m, bytes);
    const struct model_cap cap = {.kind = CAP_IS_VMO, .rights = NX_RIGHT_MAP, .object = vmo};
    if (expect(t, vmo != MODEL_NONE, "the model has no room")) {
        cap_put(t, t->self, slot, &cap);
    }
}

static void step_vmo_create(struct turn *t)
{
    struct model *m = t->m;
    const uint64_t pages = t->args[1] / NX_PAGE_BYTES + (t->args[1] % NX_PAGE_BYTES != 0);
    const bool any = t->args[0] == MODEL_ANY_SLOT;
    const uint64_t slot = any ? lowest_slot(m, t->self) : t->args[0];
    const bool fits = pages <= m->limits.arena_bytes / NX_PAGE_BYTES;
    if (pages == 0 || (!fits && slot < m->limits.slots)) {
        expect_a0(t, -NX_EPERM);
    } else if (slot < m->limits.slots) {
        create_with_slot(t, pages * NX_PAGE_BYTES, slot);
    } else { /* -1 or -28 in either order of the checks; a1 leaks the bytes */
        const uint64_t bytes = pages * NX_PAGE_BYTES;
        const bool enough = fits && bytes <= m->limits.arena_bytes - m->arena_used;
        const int64_t why = any ? -NX_ENOSPC : -NX_EPERM;
        expect_either(t, why, enough ? why : -NX_EPERM);
        if (m->limits.is_a1 && enough) {
            m->arena_used += bytes;
        }
    }
}

/* ---- Copies -------------------------------------------------------------------------------------------- */

/* The checks of K-21. Returns whether the call copies. */
static bool expect_copy(struct turn *t, const struct model_cap **cap)
{
    const uint64_t off = t->args[1], len = t->args[3];
    *cap = vmo_at(t->m, t->self, t->args[0]);
    if (*cap == NULL || off > t->m->vmos[(*cap)->object].bytes ||
        len > t->m->vmos[(*cap)->object].bytes - off) {
        return expect_a0(t, -NX_EPERM) && false;
    }
    if (len > 0 && !is_good_place(t, 2)) {
        return expect_a0(t, -NX_EINVAL) && false;
    }
    return expect_a0(t, (int64_t)len);
}

static void step_vmo_write(struct turn *t)
{
    const struct model_cap *cap;
    if (!expect_copy(t, &cap) || t->args[3] == 0) {
        return;
    }
    struct model_write write = {
        .vmo = cap->object, .off = t->args[1], .len = t->args[3], .bytes = {.fill = t->op->fill}};
    if (t->op->place[2] == AT_REG) {
        write.bytes = mapped_read(t, t->args[2], t->args[3]);
    }
    contents_write(t->m, &write);
}

static void expect_read(struct turn *t, const struct model_cap *cap)
{
    uint8_t bytes[OP_BUF_BYTES];
    memset(bytes, OP_JUNK, sizeof(bytes));
    if (!contents_read(t->m, cap->object, t->args[1], bytes, t->args[3])) {
        return;
    }
    expect(t, memcmp(bytes, t->answer->bytes, OP_LOOK_BYTES) == 0, "the first bytes read");
    expect(t, op_sum(bytes, sizeof(bytes)) == t->answer->sum, "the bytes read");
}

static void step_vmo_read(struct turn *t)
{
    const struct model_cap *cap;
    const bool good = expect_copy(t, &cap), elsewhere = t->op->place[2] == AT_REG && t->args[3] > 0;
    if (good && elsewhere) {
        const struct model_bytes bytes = contents_copy(t->m, cap->object, t->args[1], t->args[3]);
        mapped_write(t, t->args[2], t->args[3], &bytes);
    }
    if (!good || elsewhere) {
        expect_memory_untouched(t);
    } else if (!t->guessing) {
        expect_read(t, cap);
    }
}

/* ---- Destroy, share ------------------------------------------------------------------------------------ */

static void step_vmo_destroy(struct turn *t)
{
    struct model *m = t->m;
    const struct model_cap *cap = cap_seen(m, t->self, t->args[0]); /* K-29: any rights */
    if (cap == NULL || cap->kind != CAP_IS_VMO || count_caps(m, cap->object) > 1) {
        expect_a0(t, -NX_EPERM);
    } else if (any_map_of(m, MAPPED_BY_VM_MAP, cap->object)) {
        expect_a0(t, -NX_EBUSY);
    } else if (expect_a0(t, 0)) {
        vmo_free(m, cap->object);
        *cap_at(m, t->self, t->args[0]) = (struct model_cap){.kind = CAP_IS_EMPTY};
    }
}

static void step_share_ro(struct turn *t)
{
    const struct model_cap *cap = vmo_at(t->m, t->self, t->args[0]);
    const uint32_t slot = lowest_slot(t->m, t->self);
    if (cap == NULL || slot == MODEL_NONE) {
        expect_a0(t, cap == NULL ? -NX_EPERM : -NX_ENOSPC);
        return;
    }
    const struct model_cap alias = {.kind = CAP_IS_ALIAS, .rights = NX_RIGHT_MAP, .object = cap->object};
    if (expect_a0(t, slot)) {
        cap_put(t, t->self, slot, &alias);
    }
}

/* ---- Query --------------------------------------------------------------------------------------------- */

static uint64_t load_u64(const uint8_t *bytes)
{
    uint64_t value = 0;
    for (unsigned i = 8; i-- > 0;) {
        value = value << 8 | bytes[i];
    }
    return value;
}

/* Whether the range is disjoint from every known VMO. */
static bool pa_is_free(const struct model *m, const struct model_vmo *vmo, uint64_t pa)
{
    for (unsigned i = 0; i < MODEL_VMOS; i++) {
        const struct model_vmo *other = &m->vmos[i];
        if (other != vmo && other->live && other->knows_pa && pa < other->pa + other->bytes &&
            other->pa < pa + vmo->bytes) {
            return false;
        }
    }
    return true;
}

static void learn_pa(struct turn *t, struct model_vmo *vmo)
{
    const uint8_t *bytes = t->answer->bytes;
    const uint64_t pa = load_u64(bytes + 8), in_2mib = pa % NX_SUPERPAGE_BYTES;
    expect(t, load_u64(bytes) == 1, "the kind");
    expect(t, load_u64(bytes + 16) == vmo->bytes, "the size");
    expect(t, pa % NX_PAGE_BYTES == 0 && pa_is_free(t->m, vmo, pa), "the physical address");
    expect(t, !vmo->knows_pa || vmo->pa == pa, "another physical address than before");
    expect(t, !vmo->knows_in_2mib || vmo->pa_in_2mib == in_2mib, "not congruent with the large map");
    vmo->knows_pa = vmo->knows_in_2mib = true;
    vmo->pa = pa;
    vmo->pa_in_2mib = in_2mib;
}

/* The pointer is checked first. The contract does not define a query without MAP. */
static void step_query(struct turn *t)
{
    const struct model_cap *cap = cap_seen(t->m, t->self, t->args[0]);
    if (t->op->place[1] != AT_BUF) {
        expect_a0(t, -NX_EINVAL);
    } else if (cap == NULL || cap->kind != CAP_IS_VMO) {
        expect_a0(t, -NX_EPERM);
    } else if ((cap->rights & NX_RIGHT_MAP) == 0) {
        expect_either(t, 0, -NX_EPERM);
    } else {
        expect_a0(t, 0);
    }
    if (t->guessing || t->why != NULL) {
        return;
    }
    if (t->answer->a0 == 0) {
        learn_pa(t, &t->m->vmos[cap->object]);
    } else {
        expect_memory_untouched(t);
    }
}

/* ---- The kinds ----------------------------------------------------------------------------------------- */

static const struct model_kind kinds[] = {
    {.kind = NX_SYS_VMO_CREATE,
     .revisions = ON_BOTH,
     .shown = 2,
     .fills = FILLS_SLOT,
     .step = step_vmo_create,
     .allows = allows_create,
     .make = make_vmo_create,
     .weights = {8, 3, 10, 8, 2, 6, 3, 6}},
    {.kind = NX_SYS_VMO_WRITE,
     .revisions = ON_BOTH,
     .shown = 4,
     .slot_in = SLOT_IN_A0,
     .prepares = OP_PUTS_PATTERN,
     .step = step_vmo_write,
     .allows = allows_copy,
     .make = make_copy,
     .weights = {8, 2, 4, 6, 1, 4, 1, 1}},
    {.kind = NX_SYS_VMO_READ,
     .revisions = ON_A2,
     .shown = 4,
     .slot_in = SLOT_IN_A0,
     .prepares = OP_PUTS_JUNK,
     .step = step_vmo_read,
     .allows = allows_copy,
     .make = make_copy,
     .weights = {8, 2, 4, 6, 1, 4, 1, 1}},
    {.kind = NX_SYS_VMO_DESTROY,
     .revisions = ON_A2,
     .shown = 1,
     .slot_in = SLOT_IN_A0,
     .step = step_vmo_destroy,
     .allows = allows_destroy,
     .make = make_of_vmo,
     .weights = {8, 3, 6, 6, 4, 4, 1, 3}},
    {.kind = NX_SYS_VMO_SHARE_RO,
     .revisions = ON_A2,
     .shown = 1,
     .slot_in = SLOT_IN_A0,
     .fills = FILLS_SLOT,
     .step = step_share_ro,
     .make = make_of_vmo,
     .weights = {4, 2, 8, 4, 1, 3, 4, 3}},
    {.kind = NX_SYS_CAP_QUERY,
     .revisions = ON_A2,
     .shown = 2,
     .slot_in = SLOT_IN_A0,
     .prepares = OP_PUTS_JUNK,
     .step = step_query,
     .allows = allows_query,
     .make = make_query,
     .weights = {3, 1, 2, 3, 1, 1, 1, 3}},
};

const struct model_family model_vmo_calls = {kinds, sizeof(kinds) / sizeof(kinds[0])};
