/* A loop that waits for nothing but the descriptor and the timeout brings every call to its end, and rests when there
 * is nothing to do. */
#include "support/test.h"

#include "support/fixture.h"
#include "support/outcome.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

enum { MOST_TURNS = 12 }; /* for one call; a loop that is busy takes any number */

static int descriptor_of(struct fixture *fixture)
{
    int descriptor = -1;

    assert_int_equal(nexauth_session_descriptor(fixture->session, &descriptor, NULL), NEXAUTH_OK);
    return descriptor;
}

static bool is_readable(struct fixture *fixture)
{
    struct pollfd entry = {.fd = descriptor_of(fixture), .events = POLLIN};

    return poll(&entry, 1, 0) == 1;
}

/* One turn of the loop; false when it would sleep for ever. */
static bool turn(struct fixture *fixture)
{
    if (!is_readable(fixture)) {
        const int64_t wait_ms = nexauth_session_timeout_ms(fixture->session);

        if (wait_ms < 0)
            return false;
        script_pass_ms(&fixture->script, wait_ms);
    }
    outcome_poll(fixture->session, 0);
    return true;
}

/* Returns once the loop sleeps for ever, or for at least an hour. */
static void run_loop(struct fixture *fixture)
{
    int turns = 0;

    while (nexauth_session_timeout_ms(fixture->session) < 3000000 && turn(fixture))
        assert_in_range(++turns, 1, MOST_TURNS);
}

static void a_loop_rests_when_there_is_nothing_to_do(void **state)
{
    struct fixture *fixture = *state;

    assert_false(is_readable(fixture));
    assert_int_equal(nexauth_session_timeout_ms(fixture->session), -1);
    assert_int_equal(nexauth_session_timeout_ms(NULL), -1);
    outcome_poll(fixture->session, 0);
    assert_false(is_readable(fixture));
    assert_int_equal(nexauth_session_timeout_ms(fixture->session), -1);
}

#define TOKEN "{\"access_token\":\"one\",\"expires_in\":3600}"

static const struct course {
    struct script_answer answers[2];
    size_t requests;
    int64_t timeout_ms; /* of the call */
    nexauth_status status;
    int64_t least_ms, most_ms; /* by the clock, until the loop rests */
} courses[] = {
    {{{.status = 200, .body = TOKEN, .takes_ms = 700}}, 1, 0, NEXAUTH_OK, 700, 700},
    {{{.status = 503, .takes_ms = 700}}, 1, 0, NEXAUTH_THROTTLED, 700, 700},
    /* a second attempt after a second or so */
    {{{.loss = NX_LOSS_CUT}, {.status = 200, .body = TOKEN}}, 2, 0, NEXAUTH_OK, 750, 1250},
    /* the call's deadline, then in the background the exchange's */
    {{{.takes_ms = INT64_MAX}}, 1, 5000, NEXAUTH_TIMEOUT, 30000, 30000},
    {{{.takes_ms = INT64_MAX}}, 1, 2000000, NEXAUTH_TIMEOUT, 30000, 30000},
    /* an answer that comes after the call's deadline is kept */
    {{{.status = 200, .body = TOKEN, .takes_ms = 9000}}, 1, 5000, NEXAUTH_TIMEOUT, 9000, 9000},
};

/* Whether the descriptor is asked for before there is something to do, or when there already is. */
static void a_loop_brings_each_call_to_its_end_and_rests_then(void **state)
{
    for (size_t i = 0; i < 2 * sizeof courses / sizeof *courses; i++) {
        const struct course *course = &courses[i / 2];
        const struct nexauth_get_options options = {.timeout_ms = course->timeout_ms};
        struct outcome outcome = {0};
        struct fixture *fixture;
        nexauth_source *source;
        int64_t before;

        assert_int_equal(fixture_set_up(state), 0);
        fixture = *state;
        source = fixture_new_controller(fixture);
        before = fixture->script.boot_ms;
        for (size_t j = 0; j < course->requests; j++)
            script_answer(&fixture->script, course->answers[j]);
        if (i % 2)
            descriptor_of(fixture);
        outcome_start(source, &options, &outcome);
        run_loop(fixture);
        if (course->status)
            outcome_assert_status(&outcome, course->status);
        else
            outcome_assert_token(&outcome, "one");
        assert_in_range(fixture->script.boot_ms - before, course->least_ms, course->most_ms);
        assert_int_equal(fixture->script.begun, course->requests);
        nexauth_source_free(source);
        fixture_tear_down(state);
    }
}

static void a_loop_renews_a_token_in_the_background_and_rests_then(void **state)
{
    struct fixture *fixture = *state;
    nexauth_source *source = fixture_new_controller(fixture);
    struct outcome outcomes[2] = {{0}, {0}};

    fixture_answer_token(fixture, "one", "3600");
    fixture_answer_token(fixture, "two", "3600");
    assert_int_equal(fixture_get(source, "one", NULL), NEXAUTH_OK);
    script_pass_ms(&fixture->script, 3000000);
    outcome_start(source, NULL, &outcomes[0]);
    run_loop(fixture);
    outcome_assert_token(&outcomes[0], "one");
    outcome_start(source, NULL, &outcomes[1]);
    run_loop(fixture);
    outcome_assert_token(&outcomes[1], "two");
    assert_int_equal(fixture->script.begun, 2);
    nexauth_source_free(source);
}

struct visitor {
    struct fixture *fixture;
    nexauth_source *source; /* a call waits for its token */
    nexauth_call *call;
    struct outcome outcome; /* of that call */
    struct outcome further;
};

static void *visit_to_wake(void *context)
{
    const struct visitor *visitor = context;

    nexauth_session_wakeup(visitor->fixture->session);
    return NULL;
}

static void *visit_to_cancel(void *context)
{
    const struct visitor *visitor = context;

    nexauth_call_cancel(visitor->call);
    return NULL;
}

static void *visit_to_start(void *context)
{
    struct visitor *visitor = context;

    nexauth_source_start(visitor->source, NULL, outcome_note, &visitor->further, NULL, NULL);
    return NULL;
}

static void *visit_to_free(void *context)
{
    struct visitor *visitor = context;

    nexauth_source_free(visitor->source);
    visitor->source = NULL;
    return NULL;
}

static void *visit_to_wait(void *context)
{
    const struct visitor *visitor = context;
    const struct nexauth_get_options patient = {.timeout_ms = 20000};
    nexauth_token *token = NULL;

    nexauth_source_get_token(visitor->source, &patient, &token, NULL);
    nexauth_token_unref(token);
    return NULL;
}

/* While the loop sleeps, a call of its own waits for an answer that takes 15 s. Another thread comes by. */
static void a_loop_hears_of_what_another_thread_does(void **state)
{
    const struct {
        void *(*visit)(void *visitor);
        int runs; /* of the waiting call's callback, before the answer would come */
        nexauth_status status;
    } cases[] = {{visit_to_wake, 0, NEXAUTH_OK},
                 {visit_to_cancel, 1, NEXAUTH_CANCELED},
                 {visit_to_start, 0, NEXAUTH_OK},
                 {visit_to_free, 1, NEXAUTH_CANCELED},
                 {visit_to_wait, 1, NEXAUTH_OK}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct visitor visitor = {0};
        pthread_t thread;

        assert_int_equal(fixture_set_up(state), 0);
        visitor.fixture = *state;
        visitor.source = fixture_new_controller(visitor.fixture);
        script_answer(&visitor.fixture->script,
                      (struct script_answer){.status = 200, .body = TOKEN, .takes_ms = 15000});
        assert_int_equal(
            nexauth_source_start(visitor.source, NULL, outcome_note, &visitor.outcome, &visitor.call, NULL),
            NEXAUTH_OK);
        while (is_readable(visitor.fixture) || nexauth_session_timeout_ms(visitor.fixture->session) == 0)
            outcome_poll(visitor.fixture->session, 0);
        assert_int_equal(nexauth_session_timeout_ms(visitor.fixture->session), 15000);
        assert_int_equal(pthread_create(&thread, NULL, cases[i].visit, &visitor), 0);
        pthread_join(thread, NULL);
        assert_true(is_readable(visitor.fixture));
        outcome_poll(visitor.fixture->session, 0);
        assert_int_equal(visitor.outcome.runs, cases[i].runs);
        assert_int_equal(visitor.outcome.error.status, cases[i].status);
        run_loop(visitor.fixture);
        assert_int_equal(visitor.outcome.runs, 1);
        assert_int_equal(visitor.further.runs, cases[i].visit == visit_to_start);
        nexauth_call_unref(visitor.call);
        nexauth_source_free(visitor.source);
        fixture_tear_down(state);
    }
}

static void a_loop_need_not_care_while_another_thread_leads(void **state)
{
    struct fixture *fixture = *state;
    struct visitor visitor = {.fixture = fixture, .source = fixture_new_controller(fixture)};
    nexauth_source *own = fixture_new_controller(fixture);
    struct pollfd entry = {.fd = descriptor_of(fixture), .events = POLLIN};
    struct outcome outcome = {0};
    pthread_t thread;

    fixture->script.blocks = true;
    script_answer(&fixture->script, (struct script_answer){.takes_ms = INT64_MAX});
    script_answer(&fixture->script, (struct script_answer){.status = 200, .body = TOKEN});
    assert_int_equal(pthread_create(&thread, NULL, visit_to_wait, &visitor), 0);
    while (script_begun(&fixture->script) < 1)
        sched_yield();
    outcome_start(own, NULL, &outcome);
    while (!outcome.runs) {
        /* The bound ends a test that has failed: a loop would wait for ever. */
        assert_int_equal(nexauth_session_timeout_ms(fixture->session) == 0 ? 1 : poll(&entry, 1, 20000), 1);
        outcome_poll(fixture->session, 0);
    }
    outcome_assert_token(&outcome, "one");
    script_pass_ms(&fixture->script, 20000);
    script_rouse(&fixture->script);
    pthread_join(thread, NULL);
    nexauth_source_free(own);
    nexauth_source_free(visitor.source);
}

static bool is_roused(struct script *script)
{
    bool roused;

    pthread_mutex_lock(&script->mutex);
    roused = script->wakeup;
    pthread_mutex_unlock(&script->mutex);
    return roused;
}

/* Until whoever leads has taken notice. */
static void await_quiet(struct script *script)
{
    while (is_roused(script))
        sched_yield();
}

/* Both are woken by the same transport, and the one that leads is the first to take notice. */
static void a_thread_that_leads_takes_no_news_from_the_loop(void **state)
{
    struct fixture *fixture = *state;
    struct visitor visitor = {.fixture = fixture, .source = fixture_new_controller(fixture)};
    pthread_t thread;

    descriptor_of(fixture);
    fixture->script.blocks = true;
    assert_int_equal(pthread_create(&thread, NULL, visit_to_wait, &visitor), 0);
    while (script_begun(&fixture->script) < 1)
        sched_yield();
    await_quiet(&fixture->script);
    assert_false(is_readable(fixture)); /* the other thread takes care of all */
    assert_int_equal(nexauth_session_timeout_ms(fixture->session), -1);
    nexauth_session_wakeup(fixture->session);
    await_quiet(&fixture->script);
    assert_true(is_readable(fixture));
    outcome_poll(fixture->session, 60000);
    script_pass_ms(&fixture->script, 20000);
    script_rouse(&fixture->script);
    pthread_join(thread, NULL);
    nexauth_source_free(visitor.source);
}

static void the_descriptor_stays_the_same_and_within_the_process(void **state)
{
    struct fixture *fixture = *state;
    const int descriptor = descriptor_of(fixture);
    int untouched = -7;

    outcome_poll(fixture->session, 0);
    assert_int_equal(descriptor_of(fixture), descriptor);
    assert_true((fcntl(descriptor, F_GETFD) & FD_CLOEXEC) != 0);
    assert_int_equal(nexauth_session_descriptor(NULL, &untouched, NULL), NEXAUTH_INVALID);
    assert_int_equal(nexauth_session_descriptor(fixture->session, NULL, NULL), NEXAUTH_INVALID);
    assert_int_equal(untouched, -7);
    nexauth_session_free(fixture->session);
    fixture->session = NULL;
    assert_int_equal(fcntl(descriptor, F_GETFD), -1);
}

static void the_descriptor_may_be_a_member_of_a_set(void **state)
{
    struct fixture *fixture = *state;
    const int set = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN};

    assert_int_equal(epoll_ctl(set, EPOLL_CTL_ADD, descriptor_of(fixture), &event), 0);
    assert_int_equal(epoll_wait(set, &event, 1, 0), 0);
    nexauth_session_wakeup(fixture->session);
    assert_int_equal(epoll_wait(set, &event, 1, 0), 1);
    assert_int_equal(epoll_wait(set, &event, 1, 0), 1); /* until somebody polls */
    outcome_poll(fixture->session, 60000);
    outcome_poll(fixture->session, 0);
    assert_int_equal(epoll_wait(set, &event, 1, 0), 0);
    close(set);
}

static void a_lack_of_descriptors_is_told_and_passes(void **state)
{
    struct fixture *fixture = *state;
    struct nexauth_error error = {0};
    const int next = dup(STDERR_FILENO);
    struct rlimit all;
    int untouched = -7;

    close(next);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &all), 0);
    for (int spare = 0; spare < 2; spare++) {
        const struct rlimit few = {.rlim_cur = (rlim_t)next + (rlim_t)spare, .rlim_max = all.rlim_max};

        assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
        assert_int_equal(nexauth_session_descriptor(fixture->session, &untouched, &error), NEXAUTH_NO_MEMORY);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &all), 0);
        assert_string_equal(error.message, "file descriptors ran out");
        assert_int_equal(untouched, -7);
    }
    nexauth_session_wakeup(fixture->session);
    assert_true(is_readable(fixture));
}

/* Who frees gives the answer to a one-time value its time, and wakes itself by nothing: else no time would pass. */
static void a_session_that_awaits_an_answer_at_its_end_rests_meanwhile(void **state)
{
    struct fixture *fixture = *state;
    struct outcome outcome = {0};
    nexauth_source *customer = fixture_new_customer(fixture, &fixture_customer);
    struct script_answer late = fixture_first_token;

    late.takes_ms = INT64_MAX;
    script_answer(&fixture->script, fixture_right_redirect);
    script_answer(&fixture->script, late);
    assert_true(descriptor_of(fixture) >= 0);
    outcome_start(customer, NULL, &outcome);
    while (script_begun(&fixture->script) < 2)
        outcome_poll(fixture->session, 0);
    nexauth_session_free(fixture->session);
    fixture->session = NULL;
    outcome_assert_status(&outcome, NEXAUTH_CANCELED);
    assert_true(fixture->script.freed);
    nexauth_source_free(customer);
}

#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, fixture_set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_WORLD(a_loop_rests_when_there_is_nothing_to_do),
        cmocka_unit_test(a_loop_brings_each_call_to_its_end_and_rests_then),
        IN_A_WORLD(a_loop_renews_a_token_in_the_background_and_rests_then),
        cmocka_unit_test(a_loop_hears_of_what_another_thread_does),
        IN_A_WORLD(a_loop_need_not_care_while_another_thread_leads),
        IN_A_WORLD(a_thread_that_leads_takes_no_news_from_the_loop),
        IN_A_WORLD(the_descriptor_stays_the_same_and_within_the_process),
        IN_A_WORLD(the_descriptor_may_be_a_member_of_a_set),
        IN_A_WORLD(a_lack_of_descriptors_is_told_and_passes),
        IN_A_WORLD(a_session_that_awaits_an_answer_at_its_end_rests_meanwhile),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
