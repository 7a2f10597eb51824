/*
 * Calls of NEX's API for several controllers at once, in one thread, by a curl_multi of the application's own.
 *
 *   examples/with-emulator EMULATOR nexauth-multi
 *
 * Each call first waits for its permit, which has the token and the call's turn in NEX's limit; it ends with telling
 * what was answered. nexauth/curl.h does all of this for who can block; this is what another HTTP stack has to do.
 */
#include "report.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

enum { CONTROLLERS = 3, CALLS = 2, LONGEST_WAIT_MS = 1000, CONNECT_MS = 10000, TRANSFER_MS = 30000 };

struct application;

struct controller {
    struct application *application;
    nexauth_source *source;
    const char *id;
    CURL *easy;
    nexauth_permit *permit;     /* of the call that is under way */
    struct curl_slist *headers; /* of the call; holds the token */
    int sendings;               /* of the call */
    int calls;                  /* that were answered */
    bool again;                 /* the call is made once more, as the first token was not accepted */
};

struct application {
    nexauth_session *session;
    CURLM *multi;
    struct controller controllers[CONTROLLERS];
    char url[256];
    int descriptor; /* the session's */
    int open;       /* calls that wait for their permit, or are under way */
    int exit_status;
};

/* An application reads its answers. */
static size_t take(char *bytes, size_t size, size_t count, void *context)
{
    (void)bytes;
    (void)context;
    return size * count;
}

/* libcurl asks before each sending, also when it repeats a request by itself because a kept connection was dead: that
 * one takes a slot of its own. */
static int before_sending(void *context, char *remote_ip, char *local_ip, int remote_port, int local_port)
{
    struct controller *controller = context;

    (void)remote_ip;
    (void)local_ip;
    (void)remote_port;
    (void)local_port;
    if (controller->sendings++ && nexauth_permit_send_again(controller->permit, NULL))
        return CURL_PREREQFUNC_ABORT;
    return CURL_PREREQFUNC_OK;
}

/* Runs within nexauth_session_poll(), once for each call. The permit is the callback's, and to be used at once. */
static void take_permit(void *context, nexauth_permit *permit, const struct nexauth_error *error)
{
    struct controller *controller = context;
    struct application *application = controller->application;

    if (!permit) {
        application->open--;
        application->exit_status = report_error(error);
        return;
    }
    controller->permit = permit;
    controller->sendings = 0;
    controller->headers = curl_slist_append(NULL, nexauth_permit_header(permit)); /* NEX's tokens go into the header */
    curl_easy_setopt(controller->easy, CURLOPT_URL, nexauth_permit_url(permit));
    curl_easy_setopt(controller->easy, CURLOPT_HTTPHEADER, controller->headers);
    curl_multi_add_handle(application->multi, controller->easy);
}

/* Blocks nobody: what it starts is turned by the loop. */
static void ask(struct controller *controller)
{
    struct application *application = controller->application;
    const struct nexauth_permit_options options = {.url = application->url};
    struct nexauth_error error = {0};

    if (nexauth_permit_start(controller->source, &options, take_permit, controller, NULL, &error))
        application->exit_status = report_error(&error);
    else
        application->open++;
}

/* The value of a header of the final answer; NULL: it has none. */
static const char *header_of(CURL *easy, const char *name)
{
    struct curl_header *header;

    return curl_easy_header(easy, name, 0, CURLH_HEADER, -1, &header) ? NULL : header->value;
}

/* A status that was read counts, whatever became of the rest. Without one, libcurl has closed the connection. */
static struct nexauth_answer answer_of(const struct controller *controller)
{
    long status = 0;

    curl_easy_getinfo(controller->easy, CURLINFO_RESPONSE_CODE, &status);
    return (struct nexauth_answer){
        .http_status = status >= 200 ? (int)status : 0,
        .loss = controller->sendings ? NEXAUTH_LOSS_UNKNOWN : NEXAUTH_LOSS_UNSENT,
        .retry_after = header_of(controller->easy, "Retry-After"),
        .date = header_of(controller->easy, "Date"),
        .content_type = header_of(controller->easy, "Content-Type"),
    };
}

/* Gives the slot back, and takes the token from where the call had it. */
static void release(struct controller *controller)
{
    curl_multi_remove_handle(controller->application->multi, controller->easy);
    curl_easy_setopt(controller->easy, CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(controller->headers);
    nexauth_permit_free(controller->permit);
    controller->headers = NULL;
    controller->permit = NULL;
}

/* What came of a call; then the next one, or the same with another token where there is one to be had. */
static void finish(struct controller *controller, CURLcode result)
{
    struct application *application = controller->application;
    const struct nexauth_answer answer = answer_of(controller);
    struct nexauth_error error = {0};
    const nexauth_status status = nexauth_permit_end(controller->permit, &answer, &error);
    const bool again = status == NEXAUTH_DENIED && !error.retry_after_ms && !controller->again;

    release(controller);
    application->open--;
    controller->again = again;
    if (again) {
        printf("controller %s has to have another token\n", controller->id);
        ask(controller);
    } else if (status) {
        application->exit_status = report_error(&error);
    } else if (result) {
        fprintf(stderr, "controller %s: %s\n", controller->id, curl_easy_strerror(result));
        application->exit_status = EXIT_TRY_LATER;
    } else {
        printf("call %d of controller %s was answered: %d\n", ++controller->calls, controller->id, answer.http_status);
        if (controller->calls < CALLS)
            ask(controller);
    }
}

static void finish_all(struct application *application)
{
    const CURLMsg *message;
    struct controller *controller;
    int left;

    while ((message = curl_multi_info_read(application->multi, &left))) {
        const CURLcode result = message->data.result;

        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&controller);
        finish(controller, result);
    }
}

/*
 * One turn of the loop. libcurl waits for its own sockets and for the session's descriptor, no longer than either of
 * the two has nothing to do; a permit that comes in the session's poll is on its way at once.
 */
static nexauth_status turn(struct application *application, struct nexauth_error *error)
{
    struct curl_waitfd waited = {.fd = application->descriptor, .events = CURL_WAIT_POLLIN};
    const int64_t wait_ms = nexauth_session_timeout_ms(application->session);
    const bool soon = wait_ms >= 0 && wait_ms < LONGEST_WAIT_MS;
    int running;
    nexauth_status status;

    curl_multi_poll(application->multi, &waited, 1, soon ? (int)wait_ms : LONGEST_WAIT_MS, NULL);
    status = nexauth_session_poll(application->session, 0, error);
    curl_multi_perform(application->multi, &running);
    finish_all(application);
    return status;
}

static int run(struct application *application)
{
    struct nexauth_error error = {0};

    for (int i = 0; i < CONTROLLERS; i++)
        ask(&application->controllers[i]);
    while (application->open > 0) {
        if (turn(application, &error))
            return report_error(&error);
    }
    return application->exit_status;
}

static CURL *make_handle(struct controller *controller)
{
    CURL *easy = curl_easy_init();

    if (!easy)
        return NULL;
    curl_easy_setopt(easy, CURLOPT_PRIVATE, controller);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, before_sending);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, controller);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "https");
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)TRANSFER_MS);
    curl_easy_setopt(easy, CURLOPT_CAINFO, getenv("CA_FILE"));
    return easy;
}

static nexauth_status make_controllers(struct application *application, const char *origin, struct nexauth_error *error)
{
    static const char *const ids[CONTROLLERS] = {"111aa", "222bb", "333cc"};
    static const char *const secrets[CONTROLLERS] = {"456", "789", "012"};
    nexauth_status status = NEXAUTH_OK;

    for (int i = 0; i < CONTROLLERS && !status; i++) {
        struct controller *controller = &application->controllers[i];
        const struct nexauth_nex_controller_options who = {
            .client_id = "5a5b",
            .client_secret = "abc123",
            .controller_id = ids[i],
            .controller_secret = secrets[i],
            .origin = origin,
        };

        controller->application = application;
        controller->id = ids[i];
        controller->easy = make_handle(controller);
        status = nexauth_source_new_nex_controller(application->session, &who, &controller->source, error);
    }
    return status;
}

static bool has_handles(const struct application *application)
{
    bool complete = application->multi != NULL;

    for (int i = 0; i < CONTROLLERS; i++)
        complete = complete && application->controllers[i].easy;
    return complete;
}

static int start(struct application *application)
{
    const struct nexauth_session_options settings = {.ca_file = getenv("CA_FILE")};
    const char *emulator = getenv("NEX_HTTPS");
    const char *origin = emulator ? emulator : ""; /* INVALID: nothing goes to NEX by mistake */
    struct nexauth_error error = {0};

    application->multi = curl_multi_init();
    snprintf(application->url, sizeof application->url, "%s/v1.0/Controller", origin);
    if (nexauth_session_new(&settings, &application->session, &error) ||
        make_controllers(application, origin, &error) ||
        nexauth_session_descriptor(application->session, &application->descriptor, &error))
        return report_error(&error);
    if (!has_handles(application)) {
        fputs("memory ran out\n", stderr);
        return EXIT_FAILURE;
    }
    return run(application);
}

/* A call that is under way here was given up. The controllers, which are the context of the callbacks, outlive the
 * session: who still waits for a permit is told within nexauth_session_free(). */
static void end(struct application *application)
{
    for (int i = 0; i < CONTROLLERS; i++) {
        struct controller *controller = &application->controllers[i];

        if (controller->permit)
            release(controller);
        nexauth_source_free(controller->source);
    }
    nexauth_session_free(application->session);
    for (int i = 0; i < CONTROLLERS; i++)
        curl_easy_cleanup(application->controllers[i].easy);
    curl_multi_cleanup(application->multi);
}

int main(void)
{
    struct application application = {0};
    const int exit_status = start(&application);

    end(&application);
    return exit_status;
}
