/* smaps tells what a core dump leaves out: the flag dd, "do not include area into core dump". */
#include "memory.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct area {
    uint64_t start, end;
    bool writable;
    bool dumped;
    char line[256]; /* as smaps has it */
};

/* "559e68fc1000-559e69003000 rw-p 00000000 00:00 0  [heap]". False when the line is none of an area. */
static bool begin_area(const char *line, struct area *area)
{
    char *end;

    *area = (struct area){.start = strtoull(line, &end, 16), .dumped = true};
    if (end == line || *end != '-')
        return false;
    area->end = strtoull(end + 1, &end, 16);
    area->writable = strncmp(end, " rw", 3) == 0;
    snprintf(area->line, sizeof area->line, "%.*s", (int)strcspn(line, "\n"), line);
    return true;
}

/* False at the end of the file. */
static bool read_area(FILE *smaps, struct area *area)
{
    char line[8192];

    for (bool begun = false; fgets(line, sizeof line, smaps);) {
        if (!begun)
            begun = begin_area(line, area);
        else if (strncmp(line, "VmFlags:", 8) == 0) {
            area->dumped = strstr(line, " dd") == NULL;
            return true;
        }
    }
    return false;
}

static void note(const struct area *area, const char *bytes, const struct needles *needles, struct memory_sight *sight)
{
    size_t size = (size_t)(area->end - area->start);

    for (size_t i = 0; i < needles->count; i++) {
        struct needles one = {needles->forms + i, 1, 1};

        if (needles_count(&one, bytes, size))
            snprintf(sight->example, sizeof sight->example, "%s in %s", needles->forms[i], area->line);
    }
}

static bool search_area(int mem, const struct area *area, const struct needles *needles, struct memory_sight *sight)
{
    const size_t size = (size_t)(area->end - area->start);
    char *bytes = malloc(size);
    ssize_t got = -1;
    size_t count;

    if (bytes)
        got = pread(mem, bytes, size, (off_t)area->start);
    if (got == (ssize_t)size) {
        count = needles_count(needles, bytes, size);
        if (count && (area->dumped || !sight->dumped))
            note(area, bytes, needles, sight);
        sight->copies += count;
        sight->dumped += area->dumped ? count : 0;
        sight->bytes += size;
    }
    free(bytes);
    return got == (ssize_t)size;
}

bool memory_search(pid_t pid, const struct needles *needles, struct memory_sight *sight)
{
    char path[64];
    struct area area;
    bool good;
    FILE *smaps;
    int mem;

    *sight = (struct memory_sight){0};
    snprintf(path, sizeof path, "/proc/%d/smaps", (int)pid);
    smaps = fopen(path, "re");
    snprintf(path, sizeof path, "/proc/%d/mem", (int)pid);
    mem = open(path, O_RDONLY | O_CLOEXEC);
    good = smaps && mem >= 0;
    while (good && read_area(smaps, &area))
        good = !area.writable || search_area(mem, &area, needles, sight);
    if (smaps)
        fclose(smaps);
    if (mem >= 0)
        close(mem);
    return good && sight->bytes > 0;
}
