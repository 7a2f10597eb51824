/* Callers that leave, and callers that come together: what was sent for one serves all, and nothing is lost. */
#include "support/test.h"

#include "customer.h"
#include "live.h"
#include "passing.h"
#include "support/listener.h"

#include <pthread.h>
#include <stdbool.h>

/* A call that has sent its refresh token, of which the service has seen all; the answer is yet to come. */
struct pending {
    struct customer_start start;
    struct customer_journal journal;
    nexauth_source *source;
    nexauth_call *call;
    struct customer_outcome outcome;
};

static void leave_pending(struct pending *pending)
{
    *pending = (struct pending){.start = customer_begin()};
    pending->source = customer_new_source(pending->start.session, &customer_by_nothing, pending->start.saved,
                                          &pending->journal);
    customer_befall(CUSTOMER_REFRESH, "\"delay_ms\":500");
    assert_int_equal(
        nexauth_source_start(pending->source, NULL, customer_note, &pending->outcome, &pending->call, NULL),
        NEXAUTH_OK);
    while (customer_presented(CUSTOMER_REFRESH) == 0)
        assert_int_equal(nexauth_session_poll(pending->start.session, 5, NULL), NEXAUTH_OK);
    assert_false(pending->outcome.ended);
}

/* The ways to give up. */
static void cancel(struct pending *pending)
{
    nexauth_call_cancel(pending->call);
    assert_int_equal(nexauth_session_poll(pending->start.session, 0, NULL), NEXAUTH_OK);
    assert_int_equal(pending->outcome.status, NEXAUTH_CANCELED);
}

static void run_out_of_time(struct pending *pending)
{
    passing_let_s(60);
    assert_int_equal(nexauth_session_poll(pending->start.session, 0, NULL), NEXAUTH_OK);
    assert_int_equal(pending->outcome.status, NEXAUTH_TIMEOUT);
}

static void free_source(struct pending *pending)
{
    nexauth_source_free(pending->source);
    pending->source = NULL;
    assert_int_equal(nexauth_session_poll(pending->start.session, 0, NULL), NEXAUTH_OK);
    assert_int_equal(pending->outcome.status, NEXAUTH_CANCELED);
}

static void free_session(struct pending *pending)
{
    nexauth_session_free(pending->start.session);
    pending->start.session = NULL;
    assert_int_equal(pending->outcome.status, NEXAUTH_CANCELED);
}

static void a_caller_that_gives_up_loses_no_refresh_token(void **state)
{
    static void (*const ways[])(struct pending *) = {cancel, run_out_of_time, free_source, free_session};

    (void)state;
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        struct pending pending;

        leave_pending(&pending);
        ways[i](&pending);
        assert_true(pending.outcome.ended);
        nexauth_call_unref(pending.call);
        if (pending.source && pending.start.session) {
            const struct customer_outcome next = customer_askers[i](pending.start.session, pending.source);
            customer_assert_outcome(&next, NEXAUTH_OK, "", "the call after");
            assert_string_equal(next.refresh_token, pending.journal.newest);
        }
        nexauth_source_free(pending.source);
        customer_end(&pending.start);
        assert_int_equal(customer_presented(CUSTOMER_REFRESH), 1);
        assert_int_equal(pending.journal.saves, 1);
        customer_assert_good(pending.journal.newest);
    }
}

#define ROTATED                                                                                                        \
    "HTTP/1.1 200 OK\r\nContent-Length: 83\r\n\r\n"                                                                    \
    "{\"code\":0,\"result\":{\"access_token\":\"one\",\"expires_in\":7200,\"refresh_token\":\"next\"}}"

/* The answer is held until the caller has left. */
static void a_caller_that_blocks_and_gives_up_loses_no_refresh_token(void **state)
{
    static const struct nexauth_get_options hasty = {.timeout_ms = 50};
    struct listener *listener = listener_start("127.0.0.1");
    struct nexauth_nexusguard_user_options who = customer_by_nothing;
    struct customer_journal journal = {0};
    nexauth_token *token = NULL;

    (void)state;
    assert_non_null(listener);
    who.origin = listener_origin(listener);
    nexauth_session *session = passing_new_session(NULL);
    nexauth_source *source = customer_new_source(session, &who, "first", &journal);
    listener_answer(listener, (struct listener_answer){.text = ROTATED, .held = true});
    assert_int_equal(nexauth_source_get_token(source, &hasty, &token, NULL), NEXAUTH_TIMEOUT);
    assert_int_equal(journal.saves, 0);
    listener_release(listener);
    const struct customer_outcome next = customer_block(session, source);
    customer_assert_outcome(&next, NEXAUTH_OK, "", "the caller after");
    assert_string_equal(next.refresh_token, "next");
    assert_string_equal(journal.newest, "next");
    assert_int_equal(listener_requests(listener), 1);
    nexauth_source_free(source);
    nexauth_session_free(session);
    listener_stop(listener);
}

struct thread {
    pthread_t thread;
    nexauth_source *source;
    struct customer_outcome outcome;
};

static void *ask_in_thread(void *context)
{
    struct thread *thread = context;

    thread->outcome = customer_block(NULL, thread->source);
    return NULL;
}

/* By polling and by blocking, in several threads. */
static void all_who_ask_at_once_share_one_refresh(void **state)
{
    enum { THREADS = 4, LIVES = 5 };
    struct customer_start start = customer_begin();
    struct customer_journal journal = {0};
    nexauth_source *source = customer_new_source(start.session, &customer_by_nothing, start.saved, &journal);

    (void)state;
    for (int life = 1; life <= LIVES; life++) {
        struct thread threads[THREADS];

        for (int i = 0; i < THREADS; i++) {
            threads[i] = (struct thread){.source = source};
            assert_int_equal(pthread_create(&threads[i].thread, NULL, ask_in_thread, &threads[i]), 0);
        }
        const struct customer_outcome polled = customer_poll(start.session, source);
        customer_assert_outcome(&polled, NEXAUTH_OK, "", "polled");
        for (int i = 0; i < THREADS; i++) {
            pthread_join(threads[i].thread, NULL);
            customer_assert_outcome(&threads[i].outcome, NEXAUTH_OK, "", "blocked");
            assert_string_equal(threads[i].outcome.refresh_token, polled.refresh_token);
        }
        assert_string_equal(journal.newest, polled.refresh_token);
        assert_int_equal(customer_presented(CUSTOMER_REFRESH), life);
        assert_int_equal(journal.saves, life);
        passing_let_s(CUSTOMER_LIFE_S);
    }
    nexauth_source_free(source);
    customer_end(&start);
    customer_assert_good(journal.newest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_caller_that_gives_up_loses_no_refresh_token),
        cmocka_unit_test(a_caller_that_blocks_and_gives_up_loses_no_refresh_token),
        cmocka_unit_test(all_who_ask_at_once_share_one_refresh),
    };

    return cmocka_run_group_tests(tests, live_start, live_stop);
}
