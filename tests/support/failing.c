#include "support/failing.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#ifdef NEXAUTH_XML
#include <libxml/xmlmemory.h>
#endif

static _Thread_local bool armed;
static _Thread_local bool fails_for_ever;
static _Thread_local size_t failing_number;
static _Thread_local size_t count;
static _Thread_local ptrdiff_t held; /* blocks of this thread's making, less those that it freed */

void *__real_malloc(size_t size);
void *__real_calloc(size_t items, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
char *__real_strdup(const char *string);
char *__real_strndup(const char *string, size_t size);
void __real_free(void *block);
void *__real_mmap(void *address, size_t size, int protection, int flags, int file, off_t offset);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t items, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
char *__wrap_strdup(const char *string);
char *__wrap_strndup(const char *string, size_t size);
void __wrap_free(void *block);
void *__wrap_mmap(void *address, size_t size, int protection, int flags, int file, off_t offset);

static bool fails(void)
{
    if (!armed)
        return false;
    count++;
    return count == failing_number || (fails_for_ever && count > failing_number);
}

static void *hold(void *block)
{
    held += block != NULL;
    return block;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : hold(__real_malloc(size));
}

void *__wrap_calloc(size_t items, size_t size)
{
    return fails() ? NULL : hold(__real_calloc(items, size));
}

void *__wrap_realloc(void *old, size_t size)
{
    void *block;

    if (fails())
        return NULL;
    block = __real_realloc(old, size);
    held += !old && block;
    return block;
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return fails() ? NULL : hold(__real_aligned_alloc(alignment, size));
}

char *__wrap_strdup(const char *string)
{
    return fails() ? NULL : hold(__real_strdup(string));
}

char *__wrap_strndup(const char *string, size_t size)
{
    return fails() ? NULL : hold(__real_strndup(string, size));
}

void __wrap_free(void *block)
{
    held -= block != NULL;
    __real_free(block);
}

void *__wrap_mmap(void *address, size_t size, int protection, int flags, int file, off_t offset)
{
    return fails() ? MAP_FAILED : __real_mmap(address, size, protection, flags, file, offset);
}

void failing_hook_dependencies(void)
{
    cJSON_Hooks hooks = {__wrap_malloc, __wrap_free};

    cJSON_InitHooks(&hooks);
#ifdef NEXAUTH_XML
    xmlMemSetup(__wrap_free, __wrap_malloc, __wrap_realloc, __wrap_strdup);
#endif
}

void failing_arm(size_t which, bool for_ever)
{
    failing_number = which;
    fails_for_ever = for_ever;
    count = 0;
    armed = true;
}

size_t failing_disarm(void)
{
    armed = false;
    return count;
}

ptrdiff_t failing_held(void)
{
    return held;
}
