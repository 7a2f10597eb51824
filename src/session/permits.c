/* Permits: passes that the application holds. */
#include "session/pass.h"

#include "core/error.h"
#include "core/text.h"
#include "session/session.h"

#include <stdlib.h>
#include <string.h>

/* One that has no token and no turn yet, nor a reference to its source: that comes with the turn, or is the call's, so
 * that a child which lacks the thread that waits does not keep it. */
static nexauth_status make(nexauth_source *source, const struct nexauth_permit_options *options, int64_t *timeout_ms,
                           nexauth_permit **out, struct nexauth_error *error)
{
    nexauth_permit *permit;
    nexauth_status status;

    if (!source || !options)
        return nx_fail(error, NEXAUTH_INVALID, "source and options are required");
    if (nx_check_reserved(options->reserved, error) || nx_timeout_of(options->timeout_ms, timeout_ms, error))
        return NEXAUTH_INVALID;
    permit = calloc(1, sizeof *permit);
    if (!permit)
        return nx_fail(error, NEXAUTH_NO_MEMORY, "memory ran out");
    nx_text_init(&permit->url, NX_PASS_URL_LONGEST);
    status = nx_pass_init(&permit->pass, source, options->url, error);
    if (!status)
        nx_text_add_bytes(&permit->url, options->url, strcspn(options->url, "#"));
    if (!status && nx_text_failed(&permit->url))
        status = nx_fail(error, NEXAUTH_NO_MEMORY, "memory ran out");
    if (!status)
        nx_pass_borrow_url(&permit->pass, nx_text_string(&permit->url));
    if (status) {
        nx_text_release(&permit->url);
        free(permit);
        return status;
    }
    *out = permit;
    return NEXAUTH_OK;
}

static void destroy(nexauth_permit *permit)
{
    nx_text_release(&permit->url);
    free(permit);
}

nexauth_status nx_permit_word(nexauth_permit *permit, struct nexauth_error *error)
{
    struct nx_text plain;

    if (!nexauth_token_query(permit->pass.token))
        return NEXAUTH_OK;
    nx_text_init(&plain, NX_PASS_URL_LONGEST);
    nx_text_move(&plain, &permit->url);
    nx_pass_add_url(&permit->pass, nx_text_string(&plain), &permit->url);
    nx_text_release(&plain);
    if (!nx_text_failed(&permit->url))
        return NEXAUTH_OK;
    nx_pass_give_back(&permit->pass);
    return nx_fail(error, NEXAUTH_NO_MEMORY, "memory ran out");
}

/* Frees the permit on failure. */
static nexauth_status wait_for(nexauth_permit *permit, int64_t timeout_ms, struct nexauth_error *error)
{
    const int64_t now = nx_boot_ms(&permit->pass.source->session->world.clock);
    nexauth_status status = nx_pass_wait(&permit->pass, now + timeout_ms, error);

    if (!status)
        status = nx_permit_word(permit, error);
    if (status) {
        nx_pass_release(&permit->pass);
        destroy(permit);
    } else {
        nx_pass_leave_source(&permit->pass);
    }
    return status;
}

nexauth_status nexauth_permit_begin(nexauth_source *source, const struct nexauth_permit_options *options,
                                    nexauth_permit **out, struct nexauth_error *error)
{
    nexauth_permit *permit = NULL;
    nexauth_status status;
    int64_t timeout_ms = 0;

    if (!out)
        return nx_fail(error, NEXAUTH_INVALID, "out is required");
    status = make(source, options, &timeout_ms, &permit, error);
    if (!permit)
        return status;
    status = wait_for(permit, timeout_ms, error);
    if (!status)
        *out = permit;
    return status;
}

nexauth_status nexauth_permit_start(nexauth_source *source, const struct nexauth_permit_options *options,
                                    nexauth_permit_callback callback, void *context, nexauth_call **out,
                                    struct nexauth_error *error)
{
    nexauth_permit *permit = NULL;
    nexauth_status status;
    int64_t timeout_ms = 0;

    if (!callback)
        return nx_fail(error, NEXAUTH_INVALID, "callback is required");
    status = make(source, options, &timeout_ms, &permit, error);
    if (!permit)
        return status;
    status = nx_call_start_permit(permit, timeout_ms, callback, context, out, error);
    if (status)
        destroy(permit);
    return status;
}

const char *nexauth_permit_url(const nexauth_permit *permit)
{
    return permit ? nx_text_string(&permit->url) : NULL;
}

const char *nexauth_permit_header(const nexauth_permit *permit)
{
    return permit ? nexauth_token_header(permit->pass.token) : NULL;
}

nexauth_status nexauth_permit_send_again(nexauth_permit *permit, struct nexauth_error *error)
{
    if (!permit || permit->pass.ended || permit->pass.generation != nx_fork_generation())
        return nx_fail(error, NEXAUTH_INVALID, "a permit of this process that has not ended is required");
    if (!nx_pass_again(&permit->pass))
        return nx_fail(error, NEXAUTH_THROTTLED, "there is no slot for the request to leave once more");
    return NEXAUTH_OK;
}

nexauth_status nexauth_permit_end(nexauth_permit *permit, const struct nexauth_answer *answer,
                                  struct nexauth_error *error)
{
    if (!permit || !answer)
        return nx_fail(error, NEXAUTH_INVALID, "permit and answer are required");
    return nx_pass_end(&permit->pass, answer, error);
}

void nx_permit_forget(nexauth_permit *permit)
{
    permit->pass.source->references--;
    nexauth_token_unref(permit->pass.token);
    destroy(permit);
}

void nexauth_permit_free(nexauth_permit *permit)
{
    nexauth_source *source;

    if (!permit)
        return;
    source = permit->pass.source;
    nx_pass_release(&permit->pass);
    destroy(permit);
    nx_engine_lock(source->session->engine);
    nx_source_unref_unlock(source);
}
