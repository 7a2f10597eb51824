#include "support/test.h"

#include "rows.h"

#include <string.h>

static const char *or_else(const char *text, const char *otherwise)
{
    return text ? text : otherwise;
}

static int check(const struct good *good, const struct row *row)
{
    const char *method = or_else(row->method, good->row.method);
    const char *headers[] = {or_else(row->type, good->row.type), row->header, NULL};
    const char *body = strcmp(method, "GET") == 0 ? row->body : or_else(row->body, good->row.body);
    struct response response;
    CURLcode code = exchange(good->origin, method, or_else(row->path, good->row.path), headers, body, &response);

    if (code == CURLE_OK && response.status == (row->status ? row->status : good->row.status) &&
        strstr(response.head, or_else(row->in_head, "Date: ")) && strstr(response.body, or_else(row->in_body, "")))
        return 0;
    print_error("%s: %s\n%s%s\n", row->name, curl_easy_strerror(code), response.head, response.body);
    return 1;
}

void check_all(const struct good *good, const struct row *rows, size_t count)
{
    int wrong = 0;

    for (size_t i = 0; i < count; i++)
        wrong += check(good, &rows[i]);
    assert_int_equal(wrong, 0);
}
