#include "io/curl_transport.h"

#include "io/curl_pool.h"
#include "io/curl_sockets.h"
#include "io/fork.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/*
 * IDLE_LEAST: handles that are kept, of 7 kB each, after that many requests were in flight at once: as many as one
 * HTTP/2 connection commonly carries, which may all be answered in one turn. ROUNDS: so often a turn reads on, 16 kB of
 * each socket, to have what lies there; no answer is larger than that.
 */
enum { IDLE_LEAST = 128, ROUNDS = 64, TEXTS = 5 };

/*
 * What a child that was forked has of its parent's transport. Its clean-up would end connections that are the parent's
 * still: it stays where it is, once for each fork and transport, and is not lost sight of.
 */
struct estate {
    CURLM *multi;
    CURLSH *share;
    struct nx_curl_exchange *idle;
    struct estate *next;
};

struct curl_transport {
    struct nx_transport base; /* first: a transport is cast to and fro */
    struct nx_fork_guard guard;
    struct estate *estate; /* room for the next fork */
    struct nx_curl_common common;
    struct nx_curl_sockets sockets;
    struct nx_curl_pool pool;
    CURLM *multi;
    size_t in_flight;           /* handles that the multi has */
    char *texts[TEXTS];         /* of the settings */
    bool begun;                 /* something, since the last turn */
    struct nx_exchange *failed; /* could not be begun; told at the next turn */
};

static struct curl_transport *of(struct nx_transport *transport)
{
    return (struct curl_transport *)transport;
}

static void push(struct nx_exchange **list, struct nx_exchange *exchange)
{
    exchange->next = *list;
    *list = exchange;
}

static void fail(struct curl_transport *self, struct nx_exchange *exchange)
{
    exchange->loss = NX_LOSS_MEMORY;
    push(&self->failed, exchange);
}

static CURLM *new_multi(struct curl_transport *self)
{
    const long connections = (long)self->common.settings.max_connections;
    CURLM *multi = curl_multi_init();

    if (multi && curl_multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS, connections) == CURLM_OK &&
        nx_curl_sockets_attach(&self->sockets, multi))
        return multi;
    curl_multi_cleanup(multi);
    return NULL;
}

/* One multi is turned by one thread at a time: its share needs no locks. */
static bool set_up(struct curl_transport *self)
{
    self->estate = calloc(1, sizeof *self->estate);
    self->multi = new_multi(self);
    self->common.share = curl_share_init();
    return self->estate && self->multi && self->common.share && nx_curl_sockets_init(&self->sockets) &&
           curl_share_setopt(self->common.share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION) == CURLSHE_OK;
}

/* The handles are gone. */
static void tear_down(struct curl_transport *self)
{
    curl_multi_cleanup(self->multi);
    nx_curl_sockets_release(&self->sockets);
    curl_share_cleanup(self->common.share);
    free(self->estate);
    self->multi = NULL;
    self->common.share = NULL;
    self->estate = NULL;
}

/* In a child, within fork(). The connections are closed at once: were they held open here, the parent could not end
 * them. */
static void abandon(void *context)
{
    static struct estate *estates;
    struct curl_transport *self = context;

    nx_curl_sockets_abandon(&self->sockets);
    self->failed = NULL;
    if (!self->multi)
        return;
    *self->estate = (struct estate){self->multi, self->common.share, self->pool.idle, estates};
    estates = self->estate;
    self->estate = NULL;
    self->multi = NULL;
    self->common.share = NULL;
    self->pool.idle = NULL;
    self->pool.count = 0;
    self->in_flight = 0;
}

/* Another multi in the place of one that cannot be relied upon. While there is no memory for that, it stays. */
static void renew(struct curl_transport *self)
{
    CURLM *spoiled = self->multi;
    CURLM *multi = new_multi(self);

    if (!multi)
        return;
    self->multi = multi;
    curl_multi_cleanup(spoiled);
}

/* Works with the multi; a child makes one of its own before. There is none when memory or descriptors run out. Whoever
 * wanted to wake it meanwhile had nothing to do so with, so the first wait is woken in any case. */
static void enter(struct curl_transport *self)
{
    nx_lock_take(&self->sockets.busy);
    if (self->multi && self->sockets.spoiled && !self->in_flight)
        renew(self);
    if (self->multi)
        return;
    if (set_up(self))
        nx_curl_sockets_wake(&self->sockets);
    else
        tear_down(self);
}

static void leave(struct curl_transport *self)
{
    nx_lock_give(&self->sockets.busy);
}

static void begin(struct nx_transport *transport, struct nx_exchange *exchange)
{
    struct curl_transport *self = of(transport);
    struct nx_curl_exchange *curl;

    enter(self);
    curl = self->multi ? nx_curl_pool_take(&self->pool, &self->common, exchange) : NULL;
    self->begun = true;
    exchange->handle = curl;
    if (!curl || curl_multi_add_handle(self->multi, curl->easy) != CURLM_OK) {
        nx_curl_exchange_free(curl);
        exchange->handle = NULL;
        fail(self, exchange);
    } else {
        self->in_flight++;
    }
    leave(self);
}

static void end(struct curl_transport *self, struct nx_exchange *exchange)
{
    struct nx_curl_exchange *curl = exchange->handle;

    if (!curl)
        return;
    curl_multi_remove_handle(self->multi, curl->easy);
    self->in_flight--;
    nx_curl_pool_return(&self->pool, curl);
    exchange->handle = NULL;
}

static bool begin_again(struct curl_transport *self, struct nx_curl_exchange *curl)
{
    curl_multi_remove_handle(self->multi, curl->easy);
    return curl_multi_add_handle(self->multi, curl->easy) == CURLM_OK;
}

/* True unless it goes on. */
static bool conclude(struct curl_transport *self, struct nx_curl_exchange *curl, CURLcode result)
{
    const bool again = nx_curl_exchange_goes_without(curl, result);

    if (again && begin_again(self, curl))
        return false;
    nx_curl_exchange_conclude(curl, again ? CURLE_OUT_OF_MEMORY : result);
    return true;
}

/* Moves what could not be begun and what libcurl has finished to the list. */
static void take_finished(struct curl_transport *self, struct nx_exchange **finished)
{
    CURLMsg *message;
    int left;

    while (self->failed) {
        struct nx_exchange *exchange = self->failed;

        self->failed = exchange->next;
        push(finished, exchange);
    }
    while ((message = curl_multi_info_read(self->multi, &left)) != NULL) {
        struct nx_curl_exchange *curl;
        struct nx_exchange *exchange;

        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&curl);
        exchange = curl->exchange;
        if (!conclude(self, curl, message->data.result))
            continue;
        end(self, exchange);
        push(finished, exchange);
    }
}

/* The sockets are read whatever else there is: who is late is judged after a turn. */
static struct nx_exchange *turn(struct nx_transport *transport, int64_t wait_ms)
{
    struct curl_transport *self = of(transport);
    struct nx_exchange *finished = NULL;
    bool more = true;

    enter(self);
    if (self->begun)
        nx_curl_sockets_run_due(&self->sockets);
    self->begun = false;
    take_finished(self, &finished);
    for (int round = 0; more && round < ROUNDS; round++) {
        more = nx_curl_sockets_read(&self->sockets, finished || round ? 0 : wait_ms);
        take_finished(self, &finished);
        more = more && !finished;
    }
    leave(self);
    return finished;
}

/*
 * What was sent and is given up must not arrive later than anybody reckons with: after a plain close the system would
 * go on delivering for minutes. So the connection is reset. One that other exchanges use stays open.
 */
static void reset_connection(const struct nx_exchange *exchange)
{
    const struct nx_curl_exchange *curl = exchange->handle;

    if (curl && exchange->sendings && curl->socket != CURL_SOCKET_BAD)
        nx_curl_sockets_reset(curl->socket);
}

static void give_up(struct nx_transport *transport, struct nx_exchange *exchange)
{
    struct curl_transport *self = of(transport);
    struct nx_exchange **at = &self->failed;

    enter(self);
    while (*at && *at != exchange)
        at = &(*at)->next;
    if (*at)
        *at = exchange->next;
    reset_connection(exchange);
    end(self, exchange);
    leave(self);
}

static void wakeup(struct nx_transport *transport)
{
    nx_curl_sockets_wake(&of(transport)->sockets);
}

static int descriptor(struct nx_transport *transport)
{
    struct curl_transport *self = of(transport);
    int set;

    enter(self);
    set = self->sockets.set;
    leave(self);
    return set;
}

static int64_t patience(struct nx_transport *transport)
{
    const struct curl_transport *self = of(transport);

    return self->failed ? 0 : nx_curl_sockets_patience(&self->sockets);
}

static void free_transport(struct nx_transport *transport)
{
    struct curl_transport *self = of(transport);

    nx_lock_take(&self->sockets.busy);
    nx_curl_pool_release(&self->pool);
    tear_down(self);
    nx_lock_give(&self->sockets.busy);
    nx_fork_guard_destroy(&self->guard);
    for (size_t i = 0; i < TEXTS; i++)
        free(self->texts[i]);
    free(self);
}

static const struct nx_transport_verbs verbs = {begin, turn, give_up, wakeup, descriptor, patience, free_transport};

static CURLcode global_result;

static void start_libcurl(void)
{
    global_result = curl_global_init(CURL_GLOBAL_DEFAULT);
    nx_curl_asked_start();
}

static bool copy_settings(struct curl_transport *self, const struct nx_curl_settings *settings)
{
    const size_t connections = (size_t)settings->max_connections;
    struct nx_curl_settings *own = &self->common.settings;
    const char **texts[TEXTS] = {&own->ca_file, &own->proxy, &own->client_cert_file, &own->client_key_file,
                                 &own->pinned_key};

    self->common.ca_path = curl_version_info(CURLVERSION_NOW)->capath;
    self->pool.most = connections > IDLE_LEAST ? connections : IDLE_LEAST;
    *own = *settings;
    for (size_t i = 0; i < TEXTS; i++) {
        if (!*texts[i])
            continue;
        self->texts[i] = strdup(*texts[i]);
        if (!self->texts[i])
            return false;
        *texts[i] = self->texts[i];
    }
    return true;
}

struct nx_transport *nx_curl_transport_new(const struct nx_curl_settings *settings, const struct nx_clock *clock)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct curl_transport *self;

    pthread_once(&once, start_libcurl);
    self = global_result ? NULL : calloc(1, sizeof *self);
    if (!self)
        return NULL;
    self->base.verbs = &verbs;
    self->common.sockets = &self->sockets;
    self->sockets = (struct nx_curl_sockets){.set = -1, .event = -1};
    self->common.clock = *clock;
    if (!nx_fork_guard_init(&self->guard, &self->sockets.busy, NX_FORK_TRANSPORT, abandon, self)) {
        free(self);
        return NULL;
    }
    if (!copy_settings(self, settings) || !set_up(self)) {
        free_transport(&self->base);
        return NULL;
    }
    return &self->base;
}
