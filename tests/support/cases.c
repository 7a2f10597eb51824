#include "support/cases.h"

#include "core/encode.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VALUE_LONGEST = 1024 * 1024, SHOWN = 200, PATH_LONGEST = 512 };

void case_differs(struct case_file *file, const char *format, ...)
{
    const size_t used = strlen(file->report);
    va_list arguments;

    if (used + 2 >= sizeof file->report)
        return;
    va_start(arguments, format);
    vsnprintf(file->report + used, sizeof file->report - used - 1, format, arguments);
    va_end(arguments);
    memcpy(file->report + strlen(file->report), "\n", 2);
}

/* ---- Reading ---------------------------------------------------------------------------------------------------- */

static bool decode(const char *at, const char *end, struct nx_text *out);

/* \{unit*N}, of which `at` is behind the brace: past its end, or NULL. */
static const char *decode_repeat(const char *at, const char *end, struct nx_text *out)
{
    const char *close = memchr(at, '}', (size_t)(end - at));
    const char *star = close;
    long count = 0;

    while (star && star > at && *star != '*')
        star--;
    if (!star || *star != '*')
        return NULL;
    count = strtol(star + 1, NULL, 10);
    for (long i = 0; i < count; i++) {
        if (!decode(at, star, out))
            return NULL;
    }
    return count > 0 ? close + 1 : NULL;
}

/* One escape, of which `at` is behind the backslash: past its end, or NULL. */
static const char *decode_escape(const char *at, const char *end, struct nx_text *out)
{
    static const char names[] = "tnr\\";
    static const char bytes[] = "\t\n\r\\";
    const char *name = at < end ? memchr(names, *at, sizeof names - 1) : NULL;

    if (name) {
        nx_text_add_char(out, bytes[name - names]);
        return at + 1;
    }
    if (at < end && *at == '{')
        return decode_repeat(at + 1, end, out);
    if (end - at < 3 || *at != 'x' || nx_hex_value(at[1]) < 0 || nx_hex_value(at[2]) < 0)
        return NULL;
    nx_text_add_char(out, (char)(unsigned char)(nx_hex_value(at[1]) * 16 + nx_hex_value(at[2])));
    return at + 3;
}

static bool decode(const char *at, const char *end, struct nx_text *out)
{
    while (at && at < end) {
        const char *escape = memchr(at, '\\', (size_t)(end - at));
        const char *stop = escape ? escape : end;

        nx_text_add_bytes(out, at, (size_t)(stop - at));
        at = escape ? decode_escape(escape + 1, end, out) : end;
    }
    return at && !nx_text_failed(out);
}

/* The whole file, ended by NUL; NULL when it cannot be read. */
static char *read_file(const char *path, size_t *size)
{
    char full[PATH_LONGEST];
    char *bytes = malloc(VALUE_LONGEST + 1);
    FILE *stream = NULL;

    snprintf(full, sizeof full, "%s/%s", NEXAUTH_TEST_DATA, path);
    stream = fopen(full, "rb");
    if (!stream || !bytes) {
        free(bytes);
        bytes = NULL;
    } else {
        *size = fread(bytes, 1, VALUE_LONGEST, stream);
        bytes[*size] = '\0';
    }
    if (stream)
        fclose(stream);
    return bytes;
}

static struct case_line *find_line(struct case_file *file, const char *key)
{
    for (size_t i = 0; i < file->count; i++) {
        if (strcmp(file->lines[i].key, key) == 0)
            return &file->lines[i];
    }
    return NULL;
}

static void read_line(struct case_file *file, char *at, const char *end)
{
    char *colon = memchr(at, ':', (size_t)(end - at));
    struct case_line *line = &file->lines[file->count];
    const char *value = colon ? colon + 1 : NULL;

    if (at == end || *at == '#')
        return;
    if (!colon || file->count == CASE_LINES) {
        case_differs(file, "not a line, or one too many: %.*s", (int)(end - at), at);
        return;
    }
    *colon = '\0';
    if (find_line(file, at))
        case_differs(file, "%s: is there twice", at);
    if (value < end && *value == ' ')
        value++;
    line->key = at;
    nx_text_init(&line->value, VALUE_LONGEST);
    if (!decode(value, end, &line->value) || strlen(nx_text_string(&line->value)) != line->value.length)
        case_differs(file, "%s: has a broken escape, or a NUL", at);
    file->count++;
}

static void read_rest(struct case_file *file, const char *at, const char *end)
{
    file->has_rest = true;
    if (end > at && end[-1] == '\n')
        end--;
    if (!case_says_yes(file, "escapes"))
        nx_text_add_bytes(&file->rest, at, (size_t)(end - at));
    else if (!decode(at, end, &file->rest))
        case_differs(file, "there is a broken escape below ---");
}

void case_open(struct case_file *file, const char *path)
{
    size_t size = 0;
    char *at;

    memset(file, 0, sizeof *file);
    file->path = path;
    nx_text_init(&file->rest, VALUE_LONGEST);
    file->bytes = read_file(path, &size);
    if (!file->bytes) {
        case_differs(file, "it cannot be read: %s", strerror(errno));
        return;
    }
    at = file->bytes;
    while (*at && !file->has_rest) {
        char *end = at + strcspn(at, "\n");
        char *next = *end ? end + 1 : end;

        if (end - at == 3 && memcmp(at, "---", 3) == 0)
            read_rest(file, next, file->bytes + size);
        else
            read_line(file, at, end);
        at = next;
    }
}

const char *case_value(struct case_file *file, const char *key)
{
    struct case_line *line = find_line(file, key);

    if (!line)
        return NULL;
    line->used = true;
    return nx_text_string(&line->value);
}

bool case_says_yes(struct case_file *file, const char *key)
{
    const char *value = case_value(file, key);

    if (value && strcmp(value, "yes") != 0)
        case_differs(file, "%s: can only be yes", key);
    return value != NULL;
}

int64_t case_number(struct case_file *file, const char *key, int64_t fallback)
{
    const char *value = case_value(file, key);
    char *end = NULL;
    int64_t number = 0;

    if (!value)
        return fallback;
    number = strtoll(value, &end, 10);
    if (!*value || *end)
        case_differs(file, "%s: is not a number", key);
    return number;
}

nexauth_status case_status(struct case_file *file, const char *name)
{
    for (int status = NEXAUTH_OK; status <= NEXAUTH_CANCELED; status++) {
        if (strcmp(nexauth_status_name((nexauth_status)status), name) == 0)
            return (nexauth_status)status;
    }
    case_differs(file, "%s is no status", name);
    return NEXAUTH_CANCELED;
}

bool case_fits_build(struct case_file *file)
{
    const char *needs = case_value(file, "needs");
#ifdef NEXAUTH_XML
    const char *build = "xml";
#else
    const char *build = "no-xml";
#endif

    if (needs && strcmp(needs, "xml") != 0 && strcmp(needs, "no-xml") != 0)
        case_differs(file, "needs: can only be xml or no-xml");
    return !needs || strcmp(needs, build) == 0;
}

/* ---- Comparing -------------------------------------------------------------------------------------------------- */

/* Shows both from shortly before the first difference on. */
static void differ_at(struct case_file *file, const char *what, const char *expected, const char *got)
{
    size_t same = 0;

    while (expected[same] && expected[same] == got[same])
        same++;
    same = same > 20 ? same - 20 : 0;
    case_differs(file, "%s differs at byte %zu:\n    expected %s%.*s\n    got      %s%.*s", what, same,
                 same ? "..." : "", SHOWN, expected + same, same ? "..." : "", SHOWN, got + same);
}

void case_compare(struct case_file *file, const char *what, const char *expected, const char *got)
{
    if (strcmp(expected, got) != 0)
        differ_at(file, what, expected, got);
}

void case_compare_numbers(struct case_file *file, const char *what, int64_t expected, int64_t got)
{
    if (expected != got)
        case_differs(file, "%s: expected %" PRId64 ", got %" PRId64, what, expected, got);
}

void case_compare_bytes(struct case_file *file, const char *what, const struct nx_text *expected,
                        const struct nx_text *got)
{
    if (expected->length != got->length || memcmp(nx_text_string(expected), nx_text_string(got), expected->length) != 0)
        differ_at(file, what, nx_text_string(expected), nx_text_string(got));
}

void case_find_unused(struct case_file *file)
{
    for (size_t i = 0; i < file->count; i++) {
        if (!file->lines[i].used)
            case_differs(file, "%s: unknown, or of no use in this case", file->lines[i].key);
    }
}

void case_release(struct case_file *file)
{
    for (size_t i = 0; i < file->count; i++)
        nx_text_release(&file->lines[i].value);
    nx_text_release(&file->rest);
    free(file->bytes);
    file->bytes = NULL;
    file->count = 0;
}

void case_close(struct case_file *file)
{
    case_find_unused(file);
    case_release(file);
    if (file->report[0])
        fail_msg("%s:\n%s", file->path, file->report);
}

/* ---- Running ---------------------------------------------------------------------------------------------------- */

struct suite {
    struct CMUnitTest *tests;
    size_t count;
    CMUnitTestFunction run;
    bool broken;
};

static bool add_test(struct suite *suite, const struct CMUnitTest *test)
{
    struct CMUnitTest *tests = realloc(suite->tests, (suite->count + 1) * sizeof *tests);

    if (!tests) {
        suite->broken = true;
        return false;
    }
    suite->tests = tests;
    suite->tests[suite->count++] = *test;
    return true;
}

/* The names in a folder, in order, without those that start with '.'; the count, or -1. */
static int list_folder(const char *folder, struct dirent ***entries)
{
    char full[PATH_LONGEST];
    int count;

    if (snprintf(full, sizeof full, "%s/%s", NEXAUTH_TEST_DATA, folder) >= (int)sizeof full)
        return -1;
    count = scandir(full, entries, NULL, alphasort);
    if (count < 0)
        print_error("%s cannot be listed\n", full);
    return count;
}

static bool ends_with(const char *name, const char *end)
{
    return strlen(name) > strlen(end) && strcmp(name + strlen(name) - strlen(end), end) == 0;
}

static void add_case(struct suite *suite, const char *folder, const char *name)
{
    const size_t size = strlen(folder) + strlen(name) + 2;
    char *path = malloc(size);
    const struct CMUnitTest test = {.name = path, .test_func = suite->run, .initial_state = path};

    if (path)
        snprintf(path, size, "%s/%s", folder, name);
    if (!path || !add_test(suite, &test)) {
        suite->broken = true;
        free(path);
    }
}

static void add_folder(struct suite *suite, const char *folder, size_t least)
{
    const size_t before = suite->count;
    struct dirent **entries = NULL;
    const int count = list_folder(folder, &entries);

    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;

        if (ends_with(name, ".case"))
            add_case(suite, folder, name);
        else if (name[0] != '.') {
            print_error("%s/%s is no case\n", folder, name);
            suite->broken = true;
        }
        free(entries[i]);
    }
    free(entries);
    if (suite->count - before < least) {
        print_error("%s has %zu cases, which are fewer than %zu\n", folder, suite->count - before, least);
        suite->broken = true;
    }
}

static void add_group(struct suite *suite, const char *group, size_t least)
{
    struct dirent **entries = NULL;
    const int count = list_folder(group, &entries);

    for (int i = 0; i < count; i++) {
        char folder[PATH_LONGEST];

        snprintf(folder, sizeof folder, "%s/%s", group, entries[i]->d_name);
        if (!strchr(entries[i]->d_name, '.'))
            add_folder(suite, folder, least);
        free(entries[i]);
    }
    free(entries);
    if (!suite->count)
        suite->broken = true;
}

int case_run_group(const char *group, size_t least, CMUnitTestFunction run, const struct CMUnitTest *more,
                   size_t more_count)
{
    struct suite suite = {.run = run};
    int failed = 0;

    add_group(&suite, group, least);
    for (size_t i = 0; i < more_count; i++)
        add_test(&suite, &more[i]);
    if (suite.count)
        failed = _cmocka_run_group_tests(group, suite.tests, suite.count, NULL, NULL);
    for (size_t i = 0; i < suite.count; i++)
        free(suite.tests[i].initial_state);
    free(suite.tests);
    return failed || suite.broken;
}
