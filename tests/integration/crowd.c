/*
 * The processes are forked and not started anew, because those share a limit that have an ancestor with a session. What
 * they count is in memory that they share; what goes wrong in them ends them, and the test sees their status: no
 * assertion runs outside the test's own process.
 */
#include "support/test.h"

#include "crowd.h"

#include "nexauth/curl.h"
#include "support/child.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { GRACE_S = 30 };

/* Shared by all processes. */
struct board {
    pthread_barrier_t everyone; /* is ready to ask */
    atomic_int tokens;
    atomic_int calls;
    atomic_int put_off;
    atomic_int other;
    atomic_flag told;
    char why[320];
};

/* A process of the crowd, and what is its own. */
struct worker {
    const struct crowd *crowd;
    struct board *board;
    nexauth_session *session;
    nexauth_source **sources;
    int count;
    atomic_int next;        /* source to be asked */
    int open;               /* calls that have not ended */
    nexauth_source *caller; /* of the API */
};

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void give_up(const char *what)
{
    fprintf(stderr, "crowd: %s\n", what);
    _exit(EXIT_FAILURE);
}

static nexauth_session *new_session(const struct crowd *crowd)
{
    const struct nexauth_limit limit = {
        .origin = crowd->origin, .name = "requests", .requests = crowd->requests, .window_ms = crowd->window_ms};
    const struct nexauth_session_options options = {
        .ca_file = crowd->ca_file,
        .loopback_http = !crowd->ca_file,
        .limits = &limit,
        .limits_count = 1,
    };
    nexauth_session *session = NULL;
    struct nexauth_error error = {0};

    if (nexauth_session_new(&options, &session, &error) != NEXAUTH_OK)
        give_up(error.message);
    return session;
}

static nexauth_source *new_source(nexauth_session *session, const char *origin, int number)
{
    char username[32];
    const struct nexauth_nex_user_options options = {.client_id = CROWD_CLIENT,
                                                     .client_secret = CROWD_SECRET,
                                                     .username = username,
                                                     .password = CROWD_PASSWORD,
                                                     .origin = origin};
    nexauth_source *source = NULL;
    struct nexauth_error error = {0};

    snprintf(username, sizeof username, "user-%d", number);
    if (nexauth_source_new_nex_user(session, &options, &source, &error) != NEXAUTH_OK)
        give_up(error.message);
    return source;
}

static void note_failure(struct board *board, const struct nexauth_error *error)
{
    if (error->status == NEXAUTH_TIMEOUT || (error->status == NEXAUTH_THROTTLED && error->http_status == 0)) {
        atomic_fetch_add(&board->put_off, 1);
        return;
    }
    atomic_fetch_add(&board->other, 1);
    if (!atomic_flag_test_and_set(&board->told))
        snprintf(board->why, sizeof board->why, "%s: %s", nexauth_status_name(error->status), error->message);
}

static void note(struct board *board, nexauth_token *token, const struct nexauth_error *error)
{
    if (token)
        atomic_fetch_add(&board->tokens, 1);
    else
        note_failure(board, error);
}

/* The thread of a worker: asks for the next source's token until all were asked, or the time is over. */
static void *block(void *context)
{
    struct worker *worker = context;
    int number = 0;

    pthread_barrier_wait(&worker->board->everyone);
    const int64_t until_ms = now_ms() + worker->crowd->patience_ms;
    while ((number = atomic_fetch_add(&worker->next, 1)) < worker->count && now_ms() < until_ms) {
        const struct nexauth_get_options options = {.timeout_ms = until_ms - now_ms() + 1};
        struct nexauth_error error = {0};
        nexauth_token *token = NULL;

        nexauth_source_get_token(worker->sources[number], &options, &token, &error);
        note(worker->board, token, &error);
        nexauth_token_unref(token);
    }
    return NULL;
}

static size_t pass_over(char *bytes, size_t size, size_t count, void *context)
{
    (void)bytes;
    (void)context;
    return size * count;
}

static CURL *new_handle(const struct crowd *crowd)
{
    CURL *easy = curl_easy_init();

    if (!easy)
        give_up("no memory");
    curl_easy_setopt(easy, CURLOPT_CAINFO, crowd->ca_file);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, pass_over);
    return easy;
}

/* A thread that calls the API until the time is over, or leaves no turn. */
static void *call_api(void *context)
{
    struct worker *worker = context;
    CURL *easy = new_handle(worker->crowd);
    char url[128];
    nexauth_status status = NEXAUTH_OK;

    snprintf(url, sizeof url, "%s/v1.0/Controller", worker->crowd->origin);
    pthread_barrier_wait(&worker->board->everyone);
    const int64_t until_ms = now_ms() + worker->crowd->patience_ms;
    while (!status && now_ms() < until_ms) {
        const struct nexauth_perform_options options = {.url = url, .timeout_ms = until_ms - now_ms() + 1};
        struct nexauth_error error = {0};
        long answer = 0;

        status = nexauth_perform(worker->caller, easy, &options, &error);
        curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &answer);
        if (status)
            note_failure(worker->board, &error);
        else
            atomic_fetch_add(answer == 200 ? &worker->board->calls : &worker->board->other, 1);
    }
    curl_easy_cleanup(easy);
    return NULL;
}

static void ask_by_threads(struct worker *worker)
{
    const int askers = worker->crowd->threads;
    const int all = askers + worker->crowd->api_threads;
    pthread_t *threads = calloc((size_t)all, sizeof *threads);

    for (int i = 0; threads && i < all; i++) {
        if (pthread_create(&threads[i], NULL, i < askers ? block : call_api, worker))
            give_up("no thread");
    }
    for (int i = 0; threads && i < all; i++)
        pthread_join(threads[i], NULL);
    free(threads);
}

/* Who calls the API has a token before anybody asks. */
static nexauth_source *new_caller(nexauth_session *session, const struct crowd *crowd, int number)
{
    nexauth_source *source = new_source(session, crowd->origin, number);
    nexauth_token *token = NULL;
    struct nexauth_error error = {0};

    if (nexauth_source_get_token(source, NULL, &token, &error) != NEXAUTH_OK)
        give_up(error.message);
    nexauth_token_unref(token);
    return source;
}

static void note_call(void *context, nexauth_token *token, const struct nexauth_error *error)
{
    struct worker *worker = context;

    worker->open--;
    note(worker->board, token, error);
}

static void ask_by_polling(struct worker *worker)
{
    const struct nexauth_get_options options = {.timeout_ms = worker->crowd->patience_ms};
    struct nexauth_error error = {0};

    pthread_barrier_wait(&worker->board->everyone);
    for (int i = 0; i < worker->count; i++) {
        worker->open++;
        if (nexauth_source_start(worker->sources[i], &options, note_call, worker, NULL, &error) != NEXAUTH_OK)
            give_up(error.message);
    }
    while (worker->open > 0) {
        if (nexauth_session_poll(worker->session, 1000, &error) != NEXAUTH_OK)
            give_up(error.message);
    }
}

/* The number-th process. Its share of the sources are those whose numbers leave this rest. */
static void work(const struct crowd *crowd, struct board *board, int number)
{
    struct worker worker = {.crowd = crowd, .board = board, .session = new_session(crowd)};

    worker.sources = calloc((size_t)crowd->sources / (size_t)crowd->workers + 1, sizeof(nexauth_source *));
    if (!worker.sources)
        give_up("no memory");
    for (int i = number; i < crowd->sources; i += crowd->workers)
        worker.sources[worker.count++] = new_source(worker.session, crowd->origin, i);
    if (crowd->api_threads > 0)
        worker.caller = new_caller(worker.session, crowd, number);
    if (crowd->threads > 0)
        ask_by_threads(&worker);
    else
        ask_by_polling(&worker);
    for (int i = 0; i < worker.count; i++)
        nexauth_source_free(worker.sources[i]);
    nexauth_source_free(worker.caller);
    nexauth_session_free(worker.session);
    free(worker.sources);
}

static void end_by(const struct crowd *crowd)
{
    alarm((unsigned int)(crowd->patience_ms / 1000 + GRACE_S));
}

/* The ancestor of all workers: its session comes first. */
static void lead(const struct crowd *crowd, struct board *board)
{
    nexauth_session *session = new_session(crowd);
    int failed = 0;

    end_by(crowd);
    for (int i = 0; i < crowd->workers; i++) {
        pid_t pid = fork();
        if (pid < 0)
            give_up("no process");
        if (pid > 0)
            continue;
        end_by(crowd);
        work(crowd, board, i);
        child_exit(EXIT_SUCCESS);
    }
    for (int i = 0; i < crowd->workers; i++) {
        int status = 0;
        failed += wait(&status) < 0 || status != 0;
    }
    nexauth_session_free(session);
    child_exit(failed ? EXIT_FAILURE : EXIT_SUCCESS);
}

static struct board *make_board(const struct crowd *crowd)
{
    pthread_barrierattr_t attributes;
    const int callers = crowd->workers * ((crowd->threads > 0 ? crowd->threads : 1) + crowd->api_threads);
    struct board *board = mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    assert_ptr_not_equal(board, MAP_FAILED);
    pthread_barrierattr_init(&attributes);
    pthread_barrierattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    assert_int_equal(pthread_barrier_init(&board->everyone, &attributes, (unsigned int)callers), 0);
    pthread_barrierattr_destroy(&attributes);
    atomic_flag_clear(&board->told);
    return board;
}

struct crowd_outcome crowd_ask(const struct crowd *crowd)
{
    struct board *board = make_board(crowd);
    int status = -1;

    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        lead(crowd, board);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    struct crowd_outcome outcome = {
        .tokens = atomic_load(&board->tokens),
        .calls = atomic_load(&board->calls),
        .put_off = atomic_load(&board->put_off),
        .other = atomic_load(&board->other),
    };
    memcpy(outcome.why, board->why, sizeof outcome.why);
    munmap(board, sizeof *board);
    assert_int_equal(status, 0);
    return outcome;
}

void crowd_write_accounts(char *path, int sources)
{
    int descriptor = mkstemp(path);
    FILE *stream = descriptor >= 0 ? fdopen(descriptor, "w") : NULL;

    assert_non_null(stream);
    fputs("{\"nex\":[{\"client_id\":\"" CROWD_CLIENT "\",\"client_secret\":\"" CROWD_SECRET "\",\"users\":[", stream);
    for (int i = 0; i < sources; i++)
        fprintf(stream, "%s{\"username\":\"user-%d\",\"password\":\"" CROWD_PASSWORD "\",\"scope\":\"user\"}",
                i > 0 ? "," : "", i);
    fputs("]}]}", stream);
    assert_int_equal(fclose(stream), 0);
}
