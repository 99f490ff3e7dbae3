/* SPDX-License-Identifier: Apache-2.0 */
/* The suite as init, with the peer's program embedded. */
#include "conformance/conf.h"
#include "conformance/neuron/conf_only.h"
#include "nexus_abi.h"

#define PEER_STACK_PAGES 4

/* conf_peer_elf.S */
extern const uint8_t conf_peer_elf[];
extern const uint64_t conf_peer_elf_bytes;

vmo_status conf_port_start_peer(struct vmo_registry *registry, vmo_peer_t *out)
{
    const struct vmo_program program = {
        .elf = conf_peer_elf, .elf_bytes = conf_peer_elf_bytes, .stack_pages = PEER_STACK_PAGES};

    return vmo_peer_spawn(registry, &program, out);
}

/* An ELF64 file of a header and one loadable segment, with one wrong field. */
bool conf_port_bad_program(uint32_t i, struct vmo_program *out)
{
    static const struct {
        size_t at, bytes;
        uint64_t value;
    } wrong[] = {
        {4, 1, 1},                     /* class: 32 bits */
        {5, 1, 2},                     /* big-endian */
        {6, 1, 0},                     /* version; only the library checks this and the next four (K-13) */
        {16, 1, 3},                    /* e_type: a shared object */
        {18, 1, 62},                   /* e_machine: x86-64 */
        {18, 2, 243 + 256},            /* e_machine: unknown */
        {20, 4, 2},                    /* e_version */
        {32, 8, 121 - 56},             /* e_phoff: the program header ends past the file */
        {32, 8, UINT64_MAX},           /* e_phoff: wraps */
        {54, 2, 64},                   /* e_phentsize: wrong size */
        {54, 2, 0},                    /* e_phentsize: zero */
        {56, 2, 2},                    /* e_phnum: one too many */
        {56, 2, 0},                    /* e_phnum: no segment */
        {64 + 8, 8, 121},              /* p_offset: past the file */
        {64 + 8, 8, UINT64_MAX - 3},   /* p_offset: wraps in a kernel's loader */
        {64 + 40, 8, NX_USER_TOP + 1}, /* p_memsz: past user memory */
    };
    static uint64_t file[15];
    uint8_t *bytes = (uint8_t *)file;

    if (i >= sizeof(wrong) / sizeof(wrong[0])) {
        return false;
    }
    memset(file, 0, sizeof(file));
    memcpy(bytes, "\177ELF\2\1\1", 7);
    bytes[16] = 2;   /* e_type: an executable */
    bytes[18] = 243; /* e_machine: RISC-V */
    bytes[20] = 1;   /* e_version */
    bytes[32] = 64;  /* e_phoff */
    bytes[54] = 56;  /* e_phentsize */
    bytes[56] = 1;   /* e_phnum */
    bytes[64] = 1;   /* p_type: loadable */
    memcpy(bytes + wrong[i].at, &wrong[i].value, wrong[i].bytes);
    *out = (struct vmo_program){.elf = file, .elf_bytes = sizeof(file), .stack_pages = PEER_STACK_PAGES};
    return true;
}

int main(void)
{
    return conf_run(conf_only);
}
