/*
 * Tokens of several NEX controllers at once, in one thread, in an event loop of the application's own.
 *
 *   examples/with-emulator EMULATOR nexauth-epoll
 *
 * The application reads its meters: a timer of its own says when, and for each reading it asks for the token of each
 * controller. The first reading waits for three requests, which are under way together; the next one finds the tokens
 * at hand. docs/event-loops.md has the same for other loops.
 */
#include "report.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { CONTROLLERS = 3, READINGS = 2, READING_MS = 200 };

struct application;

struct controller {
    struct application *application;
    nexauth_source *source;
    const char *id;
};

struct application {
    nexauth_session *session;
    struct controller controllers[CONTROLLERS];
    int loop;  /* the epoll set */
    int timer; /* a descriptor that becomes readable when a reading is due */
    int readings;
    int waiting; /* calls whose callback has not run */
    int exit_status;
};

/* Runs within nexauth_session_poll(), once for each call. The token is borrowed. */
static void take_token(void *context, nexauth_token *token, const struct nexauth_error *error)
{
    struct controller *controller = context;
    struct application *application = controller->application;

    application->waiting--;
    if (token) /* a request to the API carries nexauth_token_header(token) */
        printf("reading %d: controller %s has a token for %" PRId64 " s\n", application->readings, controller->id,
               nexauth_token_lifetime_s(token));
    else
        application->exit_status = report_error(error);
}

/* Blocks nobody: what it starts is turned by the loop. */
static void read_meter(struct controller *controller)
{
    struct application *application = controller->application;
    struct nexauth_error error = {0};

    if (nexauth_source_start(controller->source, NULL, take_token, controller, NULL, &error))
        application->exit_status = report_error(&error);
    else
        application->waiting++;
}

/* A reading begins when the one before is complete. */
static void take_tick(struct application *application)
{
    uint64_t ticks;

    if (read(application->timer, &ticks, sizeof ticks) != sizeof ticks || application->waiting > 0)
        return;
    application->readings++;
    for (int i = 0; i < CONTROLLERS; i++)
        read_meter(&application->controllers[i]);
}

/*
 * One turn of the loop. The session says anew how long it has nothing to do, as each poll and each start may change
 * that. It is polled whatever the loop woke for: when there is nothing to do, that is cheap.
 */
static nexauth_status turn(struct application *application, struct nexauth_error *error)
{
    const int64_t wait_ms = nexauth_session_timeout_ms(application->session);
    struct epoll_event events[2];
    const int count = epoll_wait(application->loop, events, 2, wait_ms < INT_MAX ? (int)wait_ms : INT_MAX);

    for (int i = 0; i < count; i++) {
        if (events[i].data.fd == application->timer)
            take_tick(application);
    }
    return nexauth_session_poll(application->session, 0, error);
}

static int run(struct application *application)
{
    struct nexauth_error error = {0};

    while (application->readings < READINGS || application->waiting > 0) {
        if (turn(application, &error))
            return report_error(&error);
    }
    return application->exit_status;
}

static nexauth_status make_controllers(struct application *application, struct nexauth_error *error)
{
    static const char *const ids[CONTROLLERS] = {"111aa", "222bb", "333cc"};
    static const char *const secrets[CONTROLLERS] = {"456", "789", "012"};
    const char *origin = getenv("NEX_HTTPS");
    nexauth_status status = NEXAUTH_OK;

    for (int i = 0; i < CONTROLLERS && !status; i++) {
        struct controller *controller = &application->controllers[i];
        const struct nexauth_nex_controller_options who = {
            .client_id = "5a5b",
            .client_secret = "abc123",
            .controller_id = ids[i],
            .controller_secret = secrets[i],
            .origin = origin ? origin : "", /* INVALID: nothing goes to NEX by mistake */
        };

        controller->application = application;
        controller->id = ids[i];
        status = nexauth_source_new_nex_controller(application->session, &who, &controller->source, error);
    }
    return status;
}

/* Level-triggered, as epoll is unless it is told otherwise. */
static int watch(int loop, int descriptor)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = descriptor};

    return epoll_ctl(loop, EPOLL_CTL_ADD, descriptor, &event);
}

/* The application's own part: the loop and its timer, which has nothing to do with the library. */
static int make_loop(struct application *application)
{
    const struct itimerspec times = {.it_value.tv_nsec = 1, .it_interval.tv_nsec = READING_MS * 1000000L};

    application->loop = epoll_create1(EPOLL_CLOEXEC);
    application->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (application->loop < 0 || application->timer < 0 || timerfd_settime(application->timer, 0, &times, NULL) ||
        watch(application->loop, application->timer)) {
        perror("the event loop cannot be made");
        return -1;
    }
    return 0;
}

static int start(struct application *application)
{
    const struct nexauth_session_options settings = {.ca_file = getenv("CA_FILE")};
    struct nexauth_error error = {0};
    int descriptor = -1;

    if (nexauth_session_new(&settings, &application->session, &error) || make_controllers(application, &error) ||
        nexauth_session_descriptor(application->session, &descriptor, &error))
        return report_error(&error);
    if (make_loop(application) || watch(application->loop, descriptor))
        return EXIT_FAILURE;
    return run(application);
}

/* The loop lets the session's descriptor go before the session does. The controllers, which are the context of the
 * callbacks, outlive the session: what has not ended by then is told within nexauth_session_free(). */
static void end(struct application *application)
{
    if (application->loop >= 0)
        close(application->loop);
    if (application->timer >= 0)
        close(application->timer);
    for (int i = 0; i < CONTROLLERS; i++)
        nexauth_source_free(application->controllers[i].source);
    nexauth_session_free(application->session);
}

int main(void)
{
    struct application application = {.loop = -1, .timer = -1};
    const int exit_status = start(&application);

    end(&application);
    return exit_status;
}
