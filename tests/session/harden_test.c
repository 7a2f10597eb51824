/* The hardened mode: what the libraries below have allocated is the wiping allocator's, or the caller is told that it
 * is not. It holds for a whole process, so each case has one of its own. */
#include "support/test.h"

#include "core/wiping.h"
#include "nexauth/nexauth.h"
#include "support/child.h"

#include <cjson/cJSON.h>
#include <curl/curl.h>
#include <dlfcn.h>
#ifdef NEXAUTH_XML
#include <libxml/parser.h>
#include <libxml/xmlmemory.h>
#endif
#include <stdlib.h>
#include <string.h>

static struct {
    bool curl_comes_late; /* takes the allocator and ignores it, as libcurl does */
    bool curl_fails;
    bool cjson_ignores;
    bool xml_ignores;
    bool hides; /* what OpenSSL is called, as where libcurl has another library */
} below;

void *__wrap_dlsym(void *handle, const char *name);
void *__real_dlsym(void *handle, const char *name);

void *__wrap_dlsym(void *handle, const char *name)
{
    return below.hides ? NULL : __real_dlsym(handle, name);
}

CURLcode __wrap_curl_global_init_mem(long flags, curl_malloc_callback m, curl_free_callback f, curl_realloc_callback r,
                                     curl_strdup_callback s, curl_calloc_callback c);
CURLcode __real_curl_global_init_mem(long flags, curl_malloc_callback m, curl_free_callback f, curl_realloc_callback r,
                                     curl_strdup_callback s, curl_calloc_callback c);

CURLcode __wrap_curl_global_init_mem(long flags, curl_malloc_callback m, curl_free_callback f, curl_realloc_callback r,
                                     curl_strdup_callback s, curl_calloc_callback c)
{
    if (below.curl_fails)
        return CURLE_FAILED_INIT;
    return below.curl_comes_late ? curl_global_init(flags) : __real_curl_global_init_mem(flags, m, f, r, s, c);
}

void __wrap_cJSON_InitHooks(cJSON_Hooks *hooks);
void __real_cJSON_InitHooks(cJSON_Hooks *hooks);

void __wrap_cJSON_InitHooks(cJSON_Hooks *hooks)
{
    if (!below.cjson_ignores)
        __real_cJSON_InitHooks(hooks);
}

#ifdef NEXAUTH_XML
int __wrap_xmlMemSetup(xmlFreeFunc f, xmlMallocFunc m, xmlReallocFunc r, xmlStrdupFunc s);
int __real_xmlMemSetup(xmlFreeFunc f, xmlMallocFunc m, xmlReallocFunc r, xmlStrdupFunc s);

int __wrap_xmlMemSetup(xmlFreeFunc f, xmlMallocFunc m, xmlReallocFunc r, xmlStrdupFunc s)
{
    return below.xml_ignores ? 0 : __real_xmlMemSetup(f, m, r, s);
}
#endif

static bool fails(nexauth_status status, const char *words)
{
    struct nexauth_error error = {0};

    return nexauth_process_harden(&error) == status && error.status == status && strstr(error.message, words);
}

/* <openssl/crypto.h> */
typedef void *crypto_malloc(size_t size, const char *file, int line);
typedef void crypto_free(void *memory, const char *file, int line);

static void *find(const char *name)
{
    return dlsym(dlopen(NULL, RTLD_LAZY), name);
}

static void use_openssl(void)
{
    void *const malloc_symbol = find("CRYPTO_malloc");
    void *const free_symbol = find("CRYPTO_free");
    crypto_malloc *allocate;
    crypto_free *release;

    if (!malloc_symbol || !free_symbol)
        return;
    memcpy(&allocate, &malloc_symbol, sizeof allocate);
    memcpy(&release, &free_symbol, sizeof release);
    release(allocate(100, __FILE__, __LINE__), __FILE__, __LINE__);
}

static void use_curl(void)
{
    curl_easy_cleanup(curl_easy_init());
}

static void use_cjson(void)
{
    cJSON_Delete(cJSON_CreateObject());
}

static void use_xml(void)
{
#ifdef NEXAUTH_XML
    xmlFree(xmlStrdup((const xmlChar *)"text"));
#endif
}

static void (*const uses[])(void) = {use_openssl, use_curl, use_cjson, use_xml};

static bool has_openssl(void)
{
    return find("CRYPTO_malloc") != NULL;
}

static bool is_there(size_t i)
{
#ifndef NEXAUTH_XML
    if (uses[i] == use_xml)
        return false;
#endif
    return uses[i] != use_openssl || has_openssl();
}

static bool each_allocates_here(void)
{
    for (size_t i = 0; i < sizeof uses / sizeof *uses; i++) {
        const unsigned int before = nx_wiping_count();

        uses[i]();
        if (is_there(i) && nx_wiping_count() == before)
            return false;
    }
    return true;
}

static bool harden(const struct child *me, void *context)
{
    struct nexauth_error error = {0};
    nexauth_session *session = NULL;
    bool good = nexauth_process_harden(&error) == NEXAUTH_OK && each_allocates_here() &&
                nexauth_session_new(NULL, &session, NULL) == NEXAUTH_OK;

    (void)me;
    (void)context;
    nexauth_session_free(session);
    good = good && nexauth_process_harden(&error) == NEXAUTH_OK && each_allocates_here();
    return good && error.status == NEXAUTH_OK;
}

static void the_libraries_below_allocate_from_us_and_a_second_call_is_as_good(void **state)
{
    (void)state;
    assert_int_equal(child_run(harden, NULL), 0);
}

static bool come_after_openssl(const struct child *me, void *context)
{
    (void)me;
    (void)context;
    use_openssl();
    for (int i = 0; i < 2; i++) {
        if (has_openssl() && !fails(NEXAUTH_INVALID, "OpenSSL"))
            return false;
    }
    return true;
}

static bool come_after_curl(const struct child *me, void *context)
{
    (void)me;
    (void)context;
    curl_global_init(CURL_GLOBAL_DEFAULT);
    return fails(NEXAUTH_INVALID, "too late");
}

static bool come_after_curl_alone(const struct child *me, void *context)
{
    (void)me;
    (void)context;
    below.curl_comes_late = true;
    return fails(NEXAUTH_INVALID, "libcurl has been started");
}

static bool come_after_a_session(const struct child *me, void *context)
{
    nexauth_session *session = NULL;

    (void)me;
    (void)context;
    if (nexauth_session_new(NULL, &session, NULL) != NEXAUTH_OK)
        return false;
    nexauth_session_free(session);
    return fails(NEXAUTH_INVALID, "too late");
}

static void what_comes_too_late_is_told(void **state)
{
    static const child_work late[] = {come_after_openssl, come_after_curl, come_after_curl_alone, come_after_a_session};

    (void)state;
    for (size_t i = 0; i < sizeof late / sizeof *late; i++)
        assert_int_equal(child_run(late[i], NULL), 0);
}

static bool go_without_a_keylog(const struct child *me, void *context)
{
    bool good = setenv("SSLKEYLOGFILE", "keys.log", 1) == 0 && fails(NEXAUTH_INVALID, "SSLKEYLOGFILE");

    (void)me;
    (void)context;
    good = good && setenv("SSLKEYLOGFILE", "", 1) == 0;
    return good && nexauth_process_harden(NULL) == NEXAUTH_OK && each_allocates_here();
}

static void keys_of_connections_are_not_written_to_a_file(void **state)
{
    (void)state;
    assert_int_equal(child_run(go_without_a_keylog, NULL), 0);
}

static bool meet_a_curl_that_does_not_start(const struct child *me, void *context)
{
    (void)me;
    (void)context;
    below.curl_fails = true;
    return fails(NEXAUTH_NO_MEMORY, "libcurl");
}

static bool meet_a_cjson_that_ignores(const struct child *me, void *context)
{
    (void)me;
    (void)context;
    below.cjson_ignores = true;
    return fails(NEXAUTH_INVALID, "cJSON");
}

static bool meet_a_libxml_that_ignores(const struct child *me, void *context)
{
    (void)me;
    (void)context;
    below.xml_ignores = true;
#ifdef NEXAUTH_XML
    return fails(NEXAUTH_INVALID, "libxml2");
#else
    return nexauth_process_harden(NULL) == NEXAUTH_OK;
#endif
}

static void a_library_that_does_not_take_the_allocator_is_named(void **state)
{
    static const child_work meetings[] = {meet_a_curl_that_does_not_start, meet_a_cjson_that_ignores,
                                          meet_a_libxml_that_ignores};

    (void)state;
    for (size_t i = 0; i < sizeof meetings / sizeof *meetings; i++)
        assert_int_equal(child_run(meetings[i], NULL), 0);
}

static bool meet_another_library(const struct child *me, void *context)
{
    bool good;

    (void)me;
    (void)context;
    below.hides = true;
    good = nexauth_process_harden(NULL) == NEXAUTH_OK && nexauth_process_harden(NULL) == NEXAUTH_OK;
    for (size_t i = 0; i < sizeof uses / sizeof *uses; i++) {
        const unsigned int before = nx_wiping_count();

        uses[i]();
        good = good && (nx_wiping_count() != before) == is_there(i);
    }
    return good;
}

/* What lies under libcurl then is out of reach. */
static void where_there_is_no_openssl_the_others_are_hardened(void **state)
{
    (void)state;
    assert_int_equal(child_run(meet_another_library, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_libraries_below_allocate_from_us_and_a_second_call_is_as_good),
        cmocka_unit_test(what_comes_too_late_is_told),
        cmocka_unit_test(keys_of_connections_are_not_written_to_a_file),
        cmocka_unit_test(a_library_that_does_not_take_the_allocator_is_named),
        cmocka_unit_test(where_there_is_no_openssl_the_others_are_hardened),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
