/* SPDX-License-Identifier: Apache-2.0 */
/* An operation in words, without stdio. */
#include "model/model_run.h"

static const struct words {
    const char *name;
    unsigned args; /* how many belong to it */
} words[OP_KINDS] = {
    [OP_GETPID] = {"getpid", 0},
    [OP_VMO_CREATE] = {"vmo_create", 2},
    [OP_VMO_WRITE] = {"vmo_write", 4},
    [OP_VMO_READ] = {"vmo_read", 4},
    [OP_VMO_DESTROY] = {"vmo_destroy", 1},
    [OP_SHARE_RO] = {"vmo_share_ro", 1},
    [OP_QUERY] = {"cap_query", 2},
    [OP_MAP] = {"map", 4},
    [OP_VM_MAP] = {"vm_map", 4},
    [OP_VM_UNMAP] = {"vm_unmap", 2},
    [OP_LOAD] = {"load", 1},
    [OP_STORE] = {"store", 1},
    [OP_TRANSFER] = {"cap_transfer", 3},
    [OP_TRANSFER_TO] = {"cap_transfer_to", 4},
    [OP_CLOSE] = {"cap_close", 1},
    [OP_CLONE] = {"cap_clone", 1},
    [OP_AS_CREATE] = {"as_create", 0},
    [OP_AS_SELF] = {"as_self", 0},
    [OP_AS_MAP] = {"as_map", 6},
    [OP_EP_CREATE] = {"ep_create", 2},
    [OP_EP_CREATE_FOR] = {"ep_create_for", 3},
    [OP_EP_CREATE_OLD] = {"ep_create_old", 0},
    [OP_EP_CLOSE] = {"ep_close", 1},
    [OP_SEND] = {"ipc_send", 5},
    [OP_RECV] = {"ipc_recv", 5},
    [OP_RECV_V2] = {"ipc_recv_v2", 6},
    [OP_SPAWN] = {"spawn", 1},
    [OP_EXEC] = {"exec", 3},
    [OP_RESUME] = {"task_resume", 1},
    [OP_EXIT] = {"exit", 1},
    [OP_FAULT] = {"fault", 0},
    [OP_WAIT] = {"wait", 1},
    [OP_WAIT_NOHANG] = {"wait_nohang", 0},
};

const char *model_kind_name(uint8_t kind)
{
    return kind < OP_KINDS ? words[kind].name : "none";
}

struct text {
    char *at, *end; /* end: of the room, less the NUL */
};

static void say(struct text *text, const char *what)
{
    while (*what != '\0' && text->at < text->end)
        *text->at++ = *what++;
}

static void say_number(struct text *text, uint64_t value)
{
    char digits[2 + 16 + 1];
    char *at = digits + sizeof(digits) - 1;
    const unsigned base = value < 10000 ? 10 : 16;
    *at = '\0';
    do {
        *--at = "0123456789abcdef"[value % base];
        value /= base;
    } while (value != 0);
    say(text, base == 16 ? "0x" : "");
    say(text, at);
}

static void say_member(struct text *text, const char *name, uint64_t value)
{
    say(text, " ");
    say(text, name);
    say(text, "=");
    say_number(text, value);
}

/* "hdr", "pid2", "reg3+0x10", "-1" */
static void say_argument(struct text *text, const struct model_op *op, unsigned i)
{
    static const char *const places[AT_PLACES] = {"",    "hdr", "desc",   "id",  "buf",
                                                  "reg", "pid", "handle", "slot"};
    const uint8_t place = op->place[i];
    if (place == AT_NUMBER && op->arg[i] == UINT64_MAX) {
        say(text, "-1");
        return;
    }
    say(text, places[place]);
    if (place == AT_REG)
        say_number(text, op->reg);
    if (place == AT_NUMBER || place == AT_PID || place == AT_HANDLE || place == AT_SLOT) {
        say_number(text, op->arg[i]);
    } else if (op->arg[i] != 0) {
        say(text, "+");
        say_number(text, op->arg[i]);
    }
}

/* Which of its registers an operation may fill. */
static const char *register_of(uint8_t kind)
{
    switch (kind) {
    case OP_MAP:
    case OP_VM_MAP:
    case OP_AS_MAP:
        return "reg";
    case OP_AS_CREATE:
    case OP_AS_SELF:
        return "handle";
    case OP_VMO_CREATE:
    case OP_SHARE_RO:
    case OP_CLONE:
    case OP_EP_CREATE:
    case OP_EP_CREATE_FOR:
    case OP_TRANSFER:
    case OP_TRANSFER_TO:
    case OP_RECV:
    case OP_RECV_V2:
        return "slot";
    default:
        return NULL;
    }
}

static void say_rest(struct text *text, const struct model_op *op)
{
    if (register_of(op->kind) != NULL)
        say_member(text, register_of(op->kind), op->reg);
    if (op->kind == OP_VMO_WRITE || op->kind == OP_STORE || op->kind == OP_SEND || op->kind == OP_RECV_V2)
        say_member(text, "fill", op->fill);
    if (op->kind != OP_SEND)
        return;
    say_member(text, "src", op->hdr.src);
    say_member(text, "type", op->hdr.type);
    say_member(text, "flags", op->hdr.flags);
    say_member(text, "hdr_len", op->hdr.len);
}

void model_op_text(const struct model_op *op, char *out, size_t size)
{
    struct text text = {out, out + size - 1};
    say_number(&text, op->actor);
    say(&text, " ");
    say(&text, model_kind_name(op->kind));
    say(&text, "(");
    for (unsigned i = 0; op->kind < OP_KINDS && i < words[op->kind].args; i++) {
        say(&text, i == 0 ? "" : ", ");
        say_argument(&text, op, i);
    }
    say(&text, ")");
    say_rest(&text, op);
    *text.at = '\0';
}
