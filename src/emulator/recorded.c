#include "recorded.h"

#include "text.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define RECORDED_MAX ((size_t)16 * 1024 * 1024)

/* A line without its end; moves behind it. */
static char *take_line(const char **text, const char *end)
{
    const char *feed = memchr(*text, '\n', (size_t)(end - *text));
    const char *stop = feed ? feed : end;
    size_t length = (size_t)(stop - *text);

    if (length > 0 && stop[-1] == '\r')
        length--;
    char *line = emu_copy(*text, length);
    *text = feed ? feed + 1 : end;
    return line;
}

/* "HTTP/1.1 200 OK", of which the number counts. */
static bool take_status(const char **text, const char *end, struct emu_answer *answer)
{
    char *line = take_line(text, end);
    const char *space = strncmp(line, "HTTP/", 5) == 0 ? strchr(line, ' ') : NULL;
    long status = space ? strtol(space, NULL, 10) : 0;

    free(line);
    answer->status = (unsigned int)status;
    return status >= 200 && status <= 599;
}

/* RFC 9110, section 5.1. */
static bool is_name(const char *name)
{
    if (*name == '\0')
        return false;
    for (; *name; name++) {
        if (!isalnum((unsigned char)*name) && !strchr("!#$%&'*+-.^_`|~", *name))
            return false;
    }
    return true;
}

bool emu_header_fits(const char *name, const char *value)
{
    while (*value && (unsigned char)*value >= 0x20 && *value != 0x7f)
        value++;
    return is_name(name) && *value == '\0';
}

bool emu_header_is_sent(const char *name, const char *value)
{
    if (strcasecmp(name, "Content-Length") == 0)
        return false;
    if (strcasecmp(name, "Transfer-Encoding") == 0)
        return strcasecmp(value, "chunked") == 0;
    return strcasecmp(name, "Connection") != 0 || strcasecmp(value, "close") == 0;
}

static bool add_header(char *line, struct emu_answer *answer)
{
    char *colon = strchr(line, ':');

    if (!colon || answer->header_count == EMU_HEADERS_MAX)
        return false;
    *colon = '\0';
    const char *value = colon + 1 + strspn(colon + 1, " \t");
    if (!emu_header_fits(line, value))
        return false;
    if (*value && emu_header_is_sent(line, value))
        emu_answer_header(answer, line, value);
    return true;
}

/* Up to the empty line, which has to be there. */
static bool take_headers(const char **text, const char *end, struct emu_answer *answer)
{
    while (*text < end) {
        char *line = take_line(text, end);
        bool last = *line == '\0';
        bool good = last || add_header(line, answer);
        free(line);
        if (last || !good)
            return good;
    }
    return false;
}

bool emu_recorded_parse(const char *text, size_t length, struct emu_answer *answer)
{
    const char *end = text + length;

    *answer = (struct emu_answer){0};
    if (!take_status(&text, end, answer) || !take_headers(&text, end, answer)) {
        emu_answer_release(answer);
        return false;
    }
    answer->length = (size_t)(end - text);
    answer->body = emu_copy(text, answer->length);
    return true;
}

static const char *read_problem(int error)
{
    if (error == EFBIG)
        return "The file of answer.file has more than 16 MiB.";
    return error == EINVAL ? "The file of answer.file is no ordinary file." : "The file of answer.file cannot be read.";
}

const char *emu_recorded_read(const char *path, struct emu_answer *answer)
{
    size_t length = 0;
    char *text = emu_read_file(path, RECORDED_MAX, &length);

    if (!text)
        return read_problem(errno);
    bool good = emu_recorded_parse(text, length, answer);
    free(text);
    return good ? NULL : "The file of answer.file is not a status line, headers, an empty line and a body.";
}
