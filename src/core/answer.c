#include "core/answer.h"

#include "core/encode.h"
#include "core/json.h"
#include "core/utf16.h"
#include "core/xml.h"

#include <string.h>

void nx_answer_init(struct nx_answer *answer, size_t bound)
{
    answer->content = NX_CONTENT_EMPTY;
    nx_members_init(&answer->members, bound);
}

void nx_answer_release(struct nx_answer *answer)
{
    nx_members_release(&answer->members);
}

static bool starts_with(const char *at, const char *end, const char *prefix)
{
    const size_t size = strlen(prefix);

    return (size_t)(end - at) >= size && nx_same_in_any_case(at, prefix, size);
}

static const char *skip_blanks(const char *at, const char *end)
{
    if (starts_with(at, end, NX_BOM))
        at += strlen(NX_BOM);
    while (at < end && nx_is_blank(*at))
        at++;
    return at;
}

/* Past one <?...?> or <!--...-->, and the blanks behind it; NULL when there is none at `at`. */
static const char *skip_markup(const char *at, const char *end)
{
    const char *close = starts_with(at, end, "<?") ? "?>" : "-->";

    if (!starts_with(at, end, "<?") && !starts_with(at, end, "<!--"))
        return NULL;
    for (const char *found = at; found < end; found++) {
        if (starts_with(found, end, close))
            return skip_blanks(found + strlen(close), end);
    }
    return NULL;
}

/* True for a tag of that name: <html>, <html lang="en">, but not <htmlResponse>. */
static bool starts_with_tag(const char *at, const char *end, const char *tag)
{
    const char *behind = at + strlen(tag);

    if (!starts_with(at, end, tag))
        return false;
    return starts_with(behind, end, ">") || starts_with(behind, end, "/") || skip_blanks(behind, end) > behind;
}

/* Pages begin in many ways: HTTP.sys, for one, writes a bare <h1>. None of these is the root of an API's answer. */
static bool is_html(const char *at, const char *end)
{
    static const char *const tags[] = {"<!doctype html", "<html", "<head", "<body", "<title", "<meta",
                                       "<center",        "<h1",   "<h2",   "<h3",   "<p",     "<div",
                                       "<script"};

    if (*at != '<')
        return false;
    for (const char *next = skip_markup(at, end); next; next = skip_markup(at, end))
        at = next;
    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++) {
        if (starts_with_tag(at, end, tags[i]))
            return true;
    }
    return false;
}

static nexauth_status parse(struct nx_answer *answer, const struct nx_text *text, const char *at, unsigned int syntaxes)
{
    enum nx_parsed parsed = NX_PARSED_NOT;

    if (*at != '<')
        parsed = nx_json_read(text->data, text->length, (syntaxes & NX_SYNTAX_ENVELOPE) != 0, &answer->members);
    else if (syntaxes & NX_SYNTAX_XML)
        parsed = nx_xml_read(text->data, text->length, &answer->members);
    answer->content = parsed == NX_PARSED ? NX_CONTENT_DOCUMENT : NX_CONTENT_OTHER;
    return parsed == NX_PARSED_NO_MEMORY ? NEXAUTH_NO_MEMORY : NEXAUTH_OK;
}

static nexauth_status read_text(struct nx_answer *answer, const struct nx_text *text, bool was_utf16,
                                unsigned int syntaxes)
{
    const char *start = nx_text_string(text);
    const char *end = start + text->length;
    const char *at = skip_blanks(start, end);

    if (at == end)
        answer->content = NX_CONTENT_EMPTY;
    else if (is_html(at, end))
        answer->content = NX_CONTENT_HTML;
    else if (was_utf16 && (*at != '<' || starts_with(start, end, NX_BOM)))
        answer->content = NX_CONTENT_OTHER;
    else
        return parse(answer, text, at, syntaxes);
    return NEXAUTH_OK;
}

static nexauth_status read_utf16(struct nx_answer *answer, const struct nx_text *body, enum nx_utf16 order,
                                 unsigned int syntaxes)
{
    struct nx_text text;
    nexauth_status status = NEXAUTH_OK;

    nx_text_init(&text, body->length / 2 * 3);
    nx_utf16_add_as_utf8(&text, body->data, body->length, order);
    if (text.status == NEXAUTH_NO_MEMORY)
        status = NEXAUTH_NO_MEMORY;
    else if (!nx_text_failed(&text))
        status = read_text(answer, &text, true, syntaxes);
    nx_text_release(&text);
    return status;
}

nexauth_status nx_answer_read(struct nx_answer *answer, const struct nx_response *response, unsigned int syntaxes)
{
    const struct nx_text *body = &response->body;
    const enum nx_utf16 order = nx_utf16_order(nx_text_string(body), body->length);

    answer->content = NX_CONTENT_OTHER;
    if (response->over_cap)
        return NEXAUTH_OK;
    if (order)
        return read_utf16(answer, body, order, syntaxes);
    return read_text(answer, body, false, syntaxes);
}

static const char *member(const struct nx_answer *answer, enum nx_member which)
{
    return answer->content == NX_CONTENT_DOCUMENT ? nx_members_string(&answer->members, which) : NULL;
}

static bool is_absent(const struct nx_answer *answer, enum nx_member which)
{
    return answer->members.values[which].kind == NX_KIND_ABSENT;
}

/* An empty refresh token is none: services that serialise every member write one. */
static bool has_sound_refresh_token(const struct nx_answer *answer)
{
    const char *refresh = member(answer, NX_MEMBER_REFRESH_TOKEN);

    return is_absent(answer, NX_MEMBER_REFRESH_TOKEN) || (refresh && (!*refresh || nx_is_visible(refresh)));
}

bool nx_answer_has_token(const struct nx_answer *answer)
{
    const char *token = member(answer, NX_MEMBER_ACCESS_TOKEN);
    const char *type = member(answer, NX_MEMBER_TOKEN_TYPE);

    if (!token || !nx_is_visible(token) || !has_sound_refresh_token(answer))
        return false;
    return is_absent(answer, NX_MEMBER_TOKEN_TYPE) ||
           (type && strlen(type) == 6 && nx_same_in_any_case(type, "Bearer", 6));
}

/* Digits with an optional '-' before them, few enough for an int64_t. */
static bool read_integer(const char *string, int64_t *out)
{
    const bool negative = *string == '-';
    const char *digits = string + negative;
    const size_t size = strspn(digits, "0123456789");
    int64_t value = 0;

    if (size == 0 || size > 18 || digits[size])
        return false;
    for (size_t i = 0; i < size; i++)
        value = value * 10 + (digits[i] - '0');
    *out = negative ? -value : value;
    return true;
}

bool nx_answer_envelope_code(const struct nx_answer *answer, int64_t *code)
{
    const struct nx_value *value = &answer->members.values[NX_MEMBER_CODE];

    if (answer->content != NX_CONTENT_DOCUMENT)
        return false;
    if (value->kind == NX_KIND_STRING)
        return read_integer(nx_text_string(&value->text), code);
    if (value->kind != NX_KIND_NUMBER || !(value->number > -9e15 && value->number < 9e15))
        return false;
    *code = (int64_t)value->number;
    return (double)*code == value->number;
}

const char *nx_answer_code(const struct nx_answer *answer)
{
    return member(answer, NX_MEMBER_ERROR);
}

const char *nx_answer_text(const struct nx_answer *answer)
{
    static const enum nx_member texts[] = {NX_MEMBER_ERROR_DESCRIPTION, NX_MEMBER_MESSAGE, NX_MEMBER_MESSAGE_OTHERWISE,
                                           NX_MEMBER_MSG};

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const char *text = member(answer, texts[i]);

        if (text && *text)
            return text;
    }
    if (answer->content == NX_CONTENT_DOCUMENT && answer->members.bare.length)
        return nx_text_string(&answer->members.bare);
    return NULL;
}

const char *nx_answer_detail(const struct nx_answer *answer)
{
    return member(answer, NX_MEMBER_MODEL_STATE);
}

bool nx_answer_has_message(const struct nx_answer *answer)
{
    return member(answer, NX_MEMBER_MESSAGE) || member(answer, NX_MEMBER_MESSAGE_OTHERWISE);
}
