#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void *emu_allocate(size_t size)
{
    void *memory = calloc(1, size ? size : 1);

    if (!memory) {
        fputs("nexauth-emulator: out of memory\n", stderr);
        abort();
    }
    return memory;
}

char *emu_copy(const char *text, size_t length)
{
    char *copy = emu_allocate(length + 1);

    if (length)
        memcpy(copy, text, length);
    return copy;
}

char *emu_format(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);

    if (length < 0)
        abort();
    char *text = emu_allocate((size_t)length + 1);
    va_start(arguments, format);
    vsnprintf(text, (size_t)length + 1, format, arguments);
    va_end(arguments);
    return text;
}

static const char *xml_entity(char byte)
{
    switch (byte) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    default:
        return NULL;
    }
}

char *emu_xml_escape(const char *text)
{
    char *escaped = emu_allocate(strlen(text) * strlen("&amp;") + 1);
    char *end = escaped;

    for (; *text; text++) {
        const char *entity = xml_entity(*text);
        if (!entity)
            *end++ = *text;
        while (entity && *entity)
            *end++ = *entity++;
    }
    return escaped;
}

/* Opening a FIFO must not wait for its other end, nor reading it for what comes through. */
static FILE *open_file(const char *path)
{
    int descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    struct stat status;
    FILE *file = NULL;

    if (descriptor < 0)
        return NULL;
    if (fstat(descriptor, &status) == 0) {
        errno = EINVAL;
        if (S_ISREG(status.st_mode))
            file = fdopen(descriptor, "rb");
    }
    if (!file) {
        int error = errno;
        close(descriptor);
        errno = error;
    }
    return file;
}

char *emu_read_file(const char *path, size_t most, size_t *length)
{
    FILE *file = open_file(path);
    char *text = NULL;

    if (!file)
        return NULL;
    text = emu_allocate(most + 1);
    errno = EFBIG;
    *length = fread(text, 1, most + 1, file);
    int error = errno;
    if (ferror(file) || *length > most) {
        free(text);
        text = NULL;
    }
    fclose(file);
    errno = error;
    return text;
}

const char *emu_read_problem(int error)
{
    return error == EINVAL ? "It is no ordinary file" : strerror(error);
}
