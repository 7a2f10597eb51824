/* What a source costs that holds a token: memory, all told, and the time to make it. */
#include "bench/bench.h"
#include "bench/token.h"

#include "nexauth/nexauth.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* Of this process, in bytes; what was never touched does not count. */
static double resident(void)
{
    FILE *file = fopen("/proc/self/statm", "r");
    char line[128] = "";
    char *second = line;
    double pages = 0;

    if (!file)
        return 0;
    if (fgets(line, sizeof line, file)) {
        strtoul(line, &second, 10);
        pages = (double)strtoul(second, NULL, 10);
    }
    fclose(file);
    return pages * (double)sysconf(_SC_PAGESIZE);
}

static double now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static bool make(nexauth_session *session, nexauth_source **sources, size_t count)
{
    char id[32];
    const struct nexauth_nex_controller_options who = {
        .client_id = "5a5b", .client_secret = "abc123", .controller_id = id, .controller_secret = "456def789"};

    for (size_t i = 0; i < count; i++) {
        snprintf(id, sizeof id, "%08zu", i);
        if (nexauth_source_new_nex_controller(session, &who, &sources[i], NULL))
            return false;
    }
    return true;
}

static bool fill(nexauth_source **sources, size_t count, const char *token)
{
    const int64_t now = (int64_t)time(NULL);
    const struct nexauth_saved_token saved = {
        .access_token = token, .obtained_at = now, .expires_at = now + 3600, .lifetime_s = 3600};

    for (size_t i = 0; i < count; i++) {
        if (nexauth_source_restore_token(sources[i], &saved, NULL))
            return false;
    }
    return true;
}

bool bench_sources(size_t count)
{
    nexauth_source **sources = calloc(count, sizeof(nexauth_source *));
    nexauth_session *session = NULL;
    struct nx_text token;
    double before, begun_ns, made_ns;
    bool good;

    nx_text_init(&token, 4096);
    bench_add_token(&token, "+");
    good = sources && nexauth_session_new(NULL, &session, NULL) == NEXAUTH_OK;
    for (size_t i = 0; good && i < count; i++) /* so that the array is there before */
        sources[i] = NULL;
    before = resident();
    begun_ns = now_ns();
    good = good && make(session, sources, count);
    made_ns = now_ns() - begun_ns;
    good = good && fill(sources, count, nx_text_string(&token));
    if (good)
        printf("%.0f bytes each, %.0f ns to make one\n", (resident() - before) / (double)count,
               made_ns / (double)count);
    for (size_t i = 0; sources && i < count; i++)
        nexauth_source_free(sources[i]);
    nexauth_session_free(session);
    nx_text_release(&token);
    free(sources);
    return good;
}
