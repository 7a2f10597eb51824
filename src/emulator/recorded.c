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

/* "HTTP/1.1 200 OK", of which the number counts. 0 when that is not what stands here. */
static unsigned int take_status(const char **text, const char *end)
{
    char *line = take_line(text, end);
    const char *space = strncmp(line, "HTTP/", 5) == 0 ? strchr(line, ' ') : NULL;
    long status = space ? strtol(space, NULL, 10) : 0;

    free(line);
    return status >= 100 && status <= 599 ? (unsigned int)status : 0;
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

static void tabs_to_spaces(char *text)
{
    while ((text = strchr(text, '\t')))
        *text = ' ';
}

/* A tab means what a space does (RFC 9110, section 5.5), and can be sent. */
static const char *add_header(char *line, struct emu_answer *answer)
{
    char *colon = strchr(line, ':');

    if (!colon)
        return "The file of answer.file has a line among its headers that is none, or no empty line behind them.";
    *colon = '\0';
    tabs_to_spaces(colon + 1);
    const char *value = colon + 1 + strspn(colon + 1, " ");
    if (!emu_header_fits(line, value))
        return "The file of answer.file has a header that cannot be sent.";
    if (*value == '\0' || !emu_header_is_sent(line, value))
        return NULL;
    if (answer->header_count == EMU_HEADERS_MAX)
        return "The file of answer.file has more than 64 headers.";
    emu_answer_header(answer, line, value);
    return NULL;
}

/* Up to the empty line, which has to be there. */
static const char *take_headers(const char **text, const char *end, struct emu_answer *answer)
{
    while (*text < end) {
        char *line = take_line(text, end);
        bool last = *line == '\0';
        const char *problem = last ? NULL : add_header(line, answer);
        free(line);
        if (last || problem)
            return problem;
    }
    return "The file of answer.file has no empty line behind its headers.";
}

/* One status line with its headers, and what follows as the body. */
static const char *take_block(const char **text, const char *end, struct emu_answer *answer)
{
    answer->status = take_status(text, end);
    if (answer->status == 0)
        return "The file of answer.file does not begin with a status line.";
    return take_headers(text, end, answer);
}

static bool is_status_line(const char *text, const char *end)
{
    return take_status(&text, end) > 0;
}

/* Before the answer there may be interim ones, and what a proxy said. */
static const char *take_head(const char **text, const char *end, struct emu_answer *answer)
{
    const char *problem = take_block(text, end, answer);

    while (!problem && is_status_line(*text, end)) {
        emu_answer_release(answer);
        problem = take_block(text, end, answer);
    }
    if (!problem && answer->status < 200)
        return "The file of answer.file ends before an answer whose status is between 200 and 599.";
    return problem;
}

const char *emu_recorded_parse(const char *text, size_t length, struct emu_answer *answer)
{
    const char *end = text + length;

    *answer = (struct emu_answer){0};
    const char *problem = take_head(&text, end, answer);
    if (problem) {
        emu_answer_release(answer);
        return problem;
    }
    answer->length = (size_t)(end - text);
    answer->body = emu_copy(text, answer->length);
    return NULL;
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
    const char *problem = emu_recorded_parse(text, length, answer);
    free(text);
    return problem;
}
