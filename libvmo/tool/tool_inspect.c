/* SPDX-License-Identifier: Apache-2.0 */
/* vmo inspect: the memory files that a process holds, on descriptors or mapped. On Linux a VMO is one. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vmo/descriptor.h>

#include "tool_file.h"

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

#define MEMFD "/memfd:"
#define DELETED " (deleted)"
#define WAYS_MAX 8     /* a mapping's permissions: r, w, x, each or not */
#define PATH_BYTES 512 /* a memfd's link has less than 300 */
#define FDS_BYTES 256

static const char help[] =
    "Usage: vmo inspect [--fd] NUMBER\n"
    "Lists the memory files that the process NUMBER holds, one a line:\n"
    "\n"
    "  SIZE    in bytes\n"
    "  SEAL    forever: nobody can write it; peers: only who has mapped it writable; none: anybody\n"
    "  SEALS   the kernel's: s no further seals, g cannot grow, h cannot shrink, w no writes,\n"
    "          f no future writes\n"
    "  FDS     its descriptors, r read-only or rw\n"
    "  MAPPED  how it is mapped, and how many bytes\n"
    "  NAME    what its creator called it\n"
    "\n"
    "'?' is what this user may not see.\n"
    "\n"
    "      --fd              describe descriptor NUMBER of this program, inherited from its caller\n";

struct memory {
    ino_t inode;
    char *name;
    char fds[FDS_BYTES]; /* "3:r,4:rw" */
    bool visible;        /* size and seals are known */
    uint64_t size_bytes;
    int seals;
    vmo_seal_strength seal;
    uint64_t mapped_bytes[WAYS_MAX];
};

struct list {
    struct vmo_registry *registry;
    struct memory *memories;
    size_t count, room;
};

/* ---- Collecting ----------------------------------------------------------------------------------- */

/* The entry of a memory file, a new one if it was not met before. NULL: there is no memory. */
static struct memory *find(struct list *list, ino_t inode, const char *path)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->memories[i].inode == inode) {
            return &list->memories[i];
        }
    }
    if (list->count == list->room) {
        const size_t room = list->room * 2 + 16;
        struct memory *const more = realloc(list->memories, room * sizeof(list->memories[0]));
        if (more == NULL) {
            return NULL;
        }
        list->memories = more;
        list->room = room;
    }
    const size_t len = strlen(path), tail = sizeof(DELETED) - 1;
    const bool deleted = len > tail && strcmp(path + len - tail, DELETED) == 0;
    char *const name = strndup(path + sizeof(MEMFD) - 1, len - (sizeof(MEMFD) - 1) - (deleted ? tail : 0));
    if (name == NULL) {
        return NULL;
    }
    list->memories[list->count] = (struct memory){.inode = inode, .name = name, .seals = -1};
    return &list->memories[list->count++];
}

/* Asks the library for the seal that an import would find. */
static void look_at(struct list *list, struct memory *memory, int file)
{
    const struct vmo_import_options options = {.flags = VMO_IMPORT_RESIZABLE};
    struct stat seen;
    vmo_t vmo;

    if (memory->visible || fstat(file, &seen) != 0) {
        return;
    }
    memory->visible = true;
    memory->size_bytes = (uint64_t)seen.st_size;
    memory->seals = fcntl(file, F_GET_SEALS);
    if (vmo_import_fd(list->registry, file, &options, &vmo) == VMO_OK) { /* it may be empty */
        const vmo_status status = vmo_seal_of(list->registry, vmo, &memory->seal);
        memory->visible = vmo_close(list->registry, vmo) == VMO_OK && status == VMO_OK;
    }
}

static void add_descriptor(struct memory *memory, const char *number, bool writable)
{
    const size_t used = strlen(memory->fds);
    const int n = snprintf(memory->fds + used, FDS_BYTES - used, "%s%s:%s", used ? "," : "", number,
                           writable ? "rw" : "r");

    if (n < 0 || (size_t)n >= FDS_BYTES - used) { /* show that there are more */
        memory->fds[used] = '\0';
        if (used > 0 && memory->fds[used - 1] != '+' && used + 1 < FDS_BYTES) {
            memcpy(memory->fds + used, "+", 2);
        }
    }
}

/* True if the descriptor's file can be written, by the flags in /proc. */
static bool is_writable(int folder, const char *number)
{
    char path[64], text[128] = "";

    (void)snprintf(path, sizeof(path), "../fdinfo/%s", number);
    const int info = openat(folder, path, O_RDONLY | O_CLOEXEC);
    if (info < 0) {
        return false;
    }
    const ssize_t got = read(info, text, sizeof(text) - 1);
    (void)close(info);
    const char *const flags = got > 0 ? strstr(text, "flags:") : NULL;
    return flags != NULL && (strtoul(flags + 6, NULL, 8) & O_ACCMODE) != O_RDONLY;
}

/* One descriptor of the process. A descriptor that was closed meanwhile is none. False: there is no memory.
 */
static bool collect_descriptor(struct list *list, int folder, const char *number)
{
    char path[PATH_BYTES];
    struct stat seen;
    const ssize_t len = readlinkat(folder, number, path, sizeof(path) - 1);

    if (len < 0) {
        return true;
    }
    path[len] = '\0';
    if (strncmp(path, MEMFD, sizeof(MEMFD) - 1) != 0 || fstatat(folder, number, &seen, 0) != 0) {
        return true;
    }
    struct memory *const memory = find(list, seen.st_ino, path);
    if (memory == NULL) {
        return false;
    }
    add_descriptor(memory, number, is_writable(folder, number));
    const int file = openat(folder, number, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file >= 0) {
        look_at(list, memory, file);
        (void)close(file);
    }
    return true;
}

static bool collect_descriptors(struct list *list, const char *process)
{
    char path[64];

    (void)snprintf(path, sizeof(path), "/proc/%s/fd", process);
    DIR *const folder = opendir(path);
    if (folder == NULL) {
        tool_say(process, errno == ENOENT ? "no such process" : "cannot list its descriptors: %s",
                 strerror(errno));
        return false;
    }
    bool good = true;
    for (const struct dirent *entry = readdir(folder); good && entry != NULL; entry = readdir(folder)) {
        good = entry->d_name[0] == '.' || collect_descriptor(list, dirfd(folder), entry->d_name);
    }
    (void)closedir(folder);
    if (!good) {
        (void)tool_say_errno(process);
    }
    return good;
}

/* One line of maps: "7f00-7f10 r--s 00000000 00:01 1024 /memfd:name (deleted)". */
static bool collect_mapping(struct list *list, const char *line)
{
    unsigned long long start = 0, end = 0, inode = 0;
    char rights[5] = "";
    int at = 0; /* where the path begins */

    if (sscanf(line, "%llx-%llx %4s %*x %*x:%*x %llu %n", &start, &end, rights, &inode, &at) != 4 ||
        at == 0 || strncmp(line + at, MEMFD, sizeof(MEMFD) - 1) != 0) {
        return true;
    }
    const char *const path = line + at;
    struct memory *const memory = find(list, (ino_t)inode, path);
    if (memory != NULL) {
        const unsigned way = (rights[0] == 'r' ? 4u : 0) | (rights[1] == 'w' ? 2u : 0) | (rights[2] == 'x');
        memory->mapped_bytes[way] += end - start;
    }
    return memory != NULL;
}

static bool collect_mappings(struct list *list, const char *process)
{
    char path[64], *line = NULL;
    size_t room = 0;
    ssize_t len = 0;
    bool good = true;

    (void)snprintf(path, sizeof(path), "/proc/%s/maps", process);
    FILE *const maps = fopen(path, "re");
    if (maps == NULL) {
        tool_say(process, "cannot list its mappings: %s", strerror(errno));
        return false;
    }
    while (good && (len = getline(&line, &room, maps)) > 0) {
        line[len - (line[len - 1] == '\n')] = '\0';
        good = collect_mapping(list, line);
    }
    if (!good || ferror(maps)) {
        (void)tool_say_errno(process);
        good = false;
    }
    free(line);
    (void)fclose(maps);
    return good;
}

/* ---- Printing ------------------------------------------------------------------------------------- */

static void format_seals(const struct memory *memory, char text[8])
{
    static const struct {
        int seal;
        char letter;
    } letters[] = {{F_SEAL_SEAL, 's'},
                   {F_SEAL_GROW, 'g'},
                   {F_SEAL_SHRINK, 'h'},
                   {F_SEAL_WRITE, 'w'},
                   {F_SEAL_FUTURE_WRITE, 'f'}};
    size_t at = 0;

    for (size_t i = 0; memory->seals > 0 && i < sizeof(letters) / sizeof(letters[0]); i++) {
        if (memory->seals & letters[i].seal) {
            text[at++] = letters[i].letter;
        }
    }
    if (at == 0) {
        text[at++] = memory->visible ? '-' : '?';
    }
    text[at] = '\0';
}

static void print_mapped(const struct memory *memory)
{
    const char *comma = "";

    for (unsigned way = 0; way < WAYS_MAX; way++) {
        if (memory->mapped_bytes[way] != 0) {
            printf("%s%c%c%c:%llu", comma, way & 4 ? 'r' : '-', way & 2 ? 'w' : '-', way & 1 ? 'x' : '-',
                   (unsigned long long)memory->mapped_bytes[way]);
            comma = ",";
        }
    }
    fputs(*comma == '\0' ? "-" : "", stdout);
}

static void print_memory(const struct memory *memory)
{
    static const char *const strengths[] = {"none", "peers", "forever"};
    char size[32] = "?", seals[8];

    if (memory->visible) {
        (void)snprintf(size, sizeof(size), "%llu", (unsigned long long)memory->size_bytes);
    }
    format_seals(memory, seals);
    printf("%12s %-7s %-5s %-8s ", size, memory->visible ? strengths[memory->seal] : "?", seals,
           memory->fds[0] != '\0' ? memory->fds : "-");
    print_mapped(memory);
    putchar(' ');
    for (const char *name = memory->name; *name != '\0'; name++) {
        const unsigned char byte = (unsigned char)*name;
        if (byte < 32 || byte == 127 || byte == '\\') {
            printf("\\%03o", byte);
        } else {
            putchar(*name);
        }
    }
    putchar('\n');
}

static void print_all(const struct list *list)
{
    printf("%12s %-7s %-5s %-8s %s %s\n", "SIZE", "SEAL", "SEALS", "FDS", "MAPPED", "NAME");
    for (size_t i = 0; i < list->count; i++) {
        print_memory(&list->memories[i]);
    }
}

static void free_all(struct list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->memories[i].name);
    }
    free(list->memories);
}

/* ---- Options -------------------------------------------------------------------------------------- */

static bool collect_own(struct list *list, const char *number)
{
    const int folder = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool good = folder >= 0 && collect_descriptor(list, folder, number);

    if (!good) {
        (void)tool_say_errno(number);
    } else if (list->count == 0) {
        tool_say(number, "no descriptor of a memory file");
    }
    if (folder >= 0) {
        (void)close(folder);
    }
    return good && list->count != 0;
}

static int inspect(const char *number, bool own)
{
    struct tool_work work = {0};
    struct list list = {0};

    if (!tool_work_begin(&work, 1)) {
        return TOOL_FAILED;
    }
    list.registry = work.registry;
    const bool good = own ? collect_own(&list, number)
                          : collect_descriptors(&list, number) && collect_mappings(&list, number);
    if (good) {
        print_all(&list);
    }
    free_all(&list);
    return good ? TOOL_OK : TOOL_FAILED;
}

int tool_inspect(int count, char **list)
{
    static const struct tool_option known[] = {{256, "fd", false}, {0, NULL, false}};
    struct tool_words words = {.options = known, .count = count, .words = list};
    const char *number = NULL;
    bool own = false;

    for (int next = tool_next(&words); next != TOOL_END; next = tool_next(&words)) {
        if (next == TOOL_HELP) {
            fputs(help, stdout);
            return TOOL_OK;
        }
        if (next == TOOL_BAD) {
            return TOOL_USAGE;
        }
        if (next == TOOL_OPERAND && number != NULL) {
            return tool_usage(words.value, "one operand too many");
        }
        if (next == TOOL_OPERAND) {
            number = words.value;
        }
        own |= next == 256;
    }
    if (number == NULL) {
        return tool_usage("NUMBER", "missing; try 'vmo inspect --help'");
    }
    if (number[strspn(number, "0123456789")] != '\0' || number[0] == '\0' || strlen(number) > 10) {
        return tool_usage(number, "no number of a process or descriptor");
    }
    return inspect(number, own);
}
