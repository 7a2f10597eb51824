/* URL and form encoding, base64, JSON strings, UTF-8: there and back, against libcurl, cJSON and slow readings. */
#include "fuzz/target.h"

#include "core/encode.h"
#include "core/json.h"

#include <cjson/cJSON.h>
#include <curl/curl.h>

#include <stdlib.h>
#include <string.h>

static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._";

static bool is_value_byte(const char *at)
{
    return strchr("0123456789ABCDEF", at[1]) && strchr("0123456789ABCDEF", at[2]);
}

static void check_alphabet(const char *encoded, const char *marks)
{
    for (const char *at = encoded; *at; at++)
        HOLDS(strchr(unreserved, *at) || strchr(marks, *at) || (*at == '%' && is_value_byte(at)));
}

static void check_decoded(const struct nx_text *encoded, bool plus_is_space, const char *value, size_t bound)
{
    struct nx_text decoded;

    nx_text_init(&decoded, bound);
    nx_add_percent_decoded(&decoded, nx_text_string(encoded), encoded->length, plus_is_space);
    HOLDS(strcmp(nx_text_string(&decoded), value) == 0);
    nx_text_release(&decoded);
}

static void check_percent(const char *value)
{
    const size_t size = strlen(value);
    struct nx_text encoded;
    char *again = NULL;
    char *curls = curl_easy_escape(NULL, size ? value : "", (int)size);

    nx_text_init(&encoded, size * 3);
    nx_add_percent(&encoded, value);
    check_alphabet(nx_text_string(&encoded), "~");
    HOLDS(curls && strcmp(curls, nx_text_string(&encoded)) == 0);
    again = curl_easy_unescape(NULL, nx_text_string(&encoded), (int)encoded.length, NULL);
    HOLDS(again && strcmp(again, value) == 0);
    check_decoded(&encoded, false, value, size);
    curl_free(again);
    curl_free(curls);
    nx_text_release(&encoded);
}

static void check_form(const char *value)
{
    const size_t size = strlen(value);
    struct nx_text encoded;

    nx_text_init(&encoded, size * 3);
    nx_add_form(&encoded, value);
    check_alphabet(nx_text_string(&encoded), "*+");
    check_decoded(&encoded, true, value, size);
    nx_text_release(&encoded);
}

static int digit_of(char c)
{
    const char *found = c ? strchr("0123456789abcdef", c >= 'A' && c <= 'F' ? c + 32 : c) : NULL;

    return found ? (int)(found - "0123456789abcdef") : -1;
}

/* What comes from others is decoded as it is written, or refused for a NUL. */
static void check_any_decoded(const uint8_t *data, size_t size, bool plus_is_space)
{
    char *expected = target_copy(data, size);
    size_t length = 0;
    struct nx_text decoded;
    bool nul = false;

    for (size_t i = 0; i < size; length++) {
        const bool triple = size - i >= 3 && data[i] == '%' && data[i + 1] < 0x80 && data[i + 2] < 0x80 &&
                            digit_of((char)data[i + 1]) >= 0 && digit_of((char)data[i + 2]) >= 0;

        expected[length] = (char)data[i];
        if (triple)
            expected[length] = (char)(digit_of((char)data[i + 1]) * 16 + digit_of((char)data[i + 2]));
        else if (plus_is_space && data[i] == '+')
            expected[length] = ' ';
        nul = nul || expected[length] == '\0';
        i += triple ? 3 : 1;
    }
    expected[length] = '\0';
    nx_text_init(&decoded, size);
    nx_add_percent_decoded(&decoded, (const char *)data, size, plus_is_space);
    HOLDS(nx_text_failed(&decoded) == nul);
    HOLDS(nul || strcmp(nx_text_string(&decoded), expected) == 0);
    nx_text_release(&decoded);
    free(expected);
}

/* Six bits at a time. */
static void check_base64(const uint8_t *data, size_t size)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    struct nx_text encoded;
    const char *at = NULL;
    uint32_t bits = 0;
    size_t count = 0;
    size_t i = 0;

    nx_text_init(&encoded, size / 3 * 4 + 4);
    nx_add_base64(&encoded, data, size);
    for (at = nx_text_string(&encoded); *at && *at != '='; at++) {
        HOLDS(strchr(alphabet, *at) != NULL);
        bits = bits << 6 | (uint32_t)(strchr(alphabet, *at) - alphabet);
        count += 6;
        if (count >= 8) {
            count -= 8;
            HOLDS(i < size && data[i++] == (uint8_t)(bits >> count));
        }
    }
    HOLDS(i == size && (bits & ((1U << count) - 1)) == 0);
    HOLDS(strspn(at, "=") == strlen(at) && strlen(at) < 3 && encoded.length % 4 == 0);
    nx_text_release(&encoded);
}

static void check_json_string(const char *value)
{
    struct nx_text encoded;
    struct nx_members members;
    cJSON *item = NULL;

    nx_text_init(&encoded, strlen(value) * 6 + 2);
    nx_add_json_string(&encoded, value);
    HOLDS(nx_text_failed(&encoded) == !nx_is_utf8(value));
    if (!nx_text_failed(&encoded)) {
        nx_members_init(&members, strlen(value));
        HOLDS(nx_json_read(nx_text_string(&encoded), encoded.length, false, &members) == NX_PARSED);
        HOLDS(strcmp(nx_text_string(&members.bare), value) == 0);
        nx_members_release(&members);
        item = cJSON_Parse(nx_text_string(&encoded));
        HOLDS(item && strcmp(cJSON_GetStringValue(item), value) == 0);
        cJSON_Delete(item);
    }
    nx_text_release(&encoded);
}

/* The length of a character by the bits of its first byte, and then by its value. */
static size_t slow_utf8_size(const uint8_t *at, size_t size)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const size_t wanted = at[0] < 0x80   ? 1
                          : at[0] < 0xc0 ? 0
                          : at[0] < 0xe0 ? 2
                          : at[0] < 0xf0 ? 3
                          : at[0] < 0xf8 ? 4
                                         : 0;
    uint32_t character = wanted > 1 ? at[0] & (0x7fU >> wanted) : at[0];

    if (wanted == 0 || wanted > size)
        return 0;
    for (size_t i = 1; i < wanted; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
        character = character << 6 | (at[i] & 0x3fU);
    }
    if (character < least[wanted] || character > 0x10ffff || (character >= 0xd800 && character <= 0xdfff))
        return 0;
    return wanted;
}

static void check_characters(const uint8_t *data, size_t size, const char *value)
{
    bool visible = *value != '\0';

    for (size_t i = 0; i < size; i++) {
        const char *stop = nx_skip_ascii((const char *)data + i, (const char *)data + size, 0x20, '"', '\\');
        size_t slow = i;

        HOLDS(nx_utf8_size((const char *)data + i, size - i) == slow_utf8_size(data + i, size - i));
        while (slow < size && data[slow] >= 0x20 && data[slow] < 0x80 && data[slow] != '"' && data[slow] != '\\')
            slow++;
        HOLDS(stop == (const char *)data + slow);
    }
    for (const char *at = value; *at; at++)
        visible = visible && *at > 0x20 && *at < 0x7f;
    HOLDS(nx_is_visible(value) == visible);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct target_input input = {data, size};
    char *value = target_take(&input, '\0');

    check_percent(value);
    check_form(value);
    check_json_string(value);
    check_any_decoded(data, size, true);
    check_any_decoded(data, size, false);
    check_base64(data, size);
    check_characters(data, size, value);
    free(value);
    return 0;
}
