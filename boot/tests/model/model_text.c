/* SPDX-License-Identifier: Apache-2.0 */
/* Prints an operation as text, without stdio. */
#include "model/model_kind.h"
#include "model/model_run.h"

const char *model_kind_name(uint8_t kind)
{
    static const char *const names[OP_KINDS] = {
        [OP_LOAD] = "load",
        [OP_STORE] = "store",
        [OP_FAULT] = "fault",
        [OP_SPAWN] = "spawn",
#define NX_CALL(number, constant, name, revisions, arguments) [number] = #name,
#include "calls.def"
    };
    return kind < OP_KINDS && names[kind] != NULL ? names[kind] : "none";
}

struct text {
    char *at, *end; /* end leaves room for the NUL */
};

static void append(struct text *text, const char *what)
{
    while (*what != '\0' && text->at < text->end) {
        *text->at++ = *what++;
    }
}

static void append_number(struct text *text, uint64_t value)
{
    char digits[2 + 16 + 1];
    char *at = digits + sizeof(digits) - 1;
    const unsigned base = value < 10000 ? 10 : 16;
    *at = '\0';
    do {
        *--at = "0123456789abcdef"[value % base];
        value /= base;
    } while (value != 0);
    append(text, base == 16 ? "0x" : "");
    append(text, at);
}

static void append_member(struct text *text, const char *name, uint64_t value)
{
    append(text, " ");
    append(text, name);
    append(text, "=");
    append_number(text, value);
}

/* "hdr", "pid2", "reg3+0x10", "-1" */
static void append_argument(struct text *text, const struct model_op *op, unsigned i)
{
    static const char *const places[AT_PLACES] = {"",    "hdr", "desc",   "id",  "buf",
                                                  "reg", "pid", "handle", "slot"};
    const uint8_t place = op->place[i];
    if (place == AT_NUMBER && op->arg[i] == UINT64_MAX) {
        append(text, "-1");
        return;
    }
    append(text, places[place]);
    if (place == AT_REG) {
        append_number(text, op->reg);
    }
    if (place == AT_NUMBER || place == AT_PID || place == AT_HANDLE || place == AT_SLOT) {
        append_number(text, op->arg[i]);
    } else if (op->arg[i] != 0) {
        append(text, "+");
        append_number(text, op->arg[i]);
    }
}

static void append_rest(struct text *text, const struct model_op *op, const struct model_kind *kind)
{
    static const char *const registers[] = {
        [FILLS_REG] = "reg", [FILLS_HANDLE] = "handle", [FILLS_SLOT] = "slot"};
    if (kind->fills != FILLS_NOTHING) {
        append_member(text, registers[kind->fills], op->reg);
    }
    if (op->kind == OP_STORE || (kind->prepares & (OP_PUTS_PATTERN | OP_PUTS_DESC)) != 0) {
        append_member(text, "fill", op->fill);
    }
    if ((kind->prepares & OP_PUTS_HDR) == 0) {
        return;
    }
    append_member(text, "src", op->hdr.src);
    append_member(text, "type", op->hdr.type);
    append_member(text, "flags", op->hdr.flags);
    append_member(text, "hdr_len", op->hdr.len);
}

void model_op_text(const struct model_op *op, char *out, size_t size)
{
    const struct model_kind *kind = model_kind_of(op->kind);
    struct text text = {out, out + size - 1};
    append_number(&text, op->actor);
    append(&text, " ");
    append(&text, model_kind_name(op->kind));
    append(&text, "(");
    for (unsigned i = 0; kind != NULL && i < kind->shown; i++) {
        append(&text, i == 0 ? "" : ", ");
        append_argument(&text, op, i);
    }
    append(&text, ")");
    if (kind != NULL) {
        append_rest(&text, op, kind);
    }
    *text.at = '\0';
}
