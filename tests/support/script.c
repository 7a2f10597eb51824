#include "support/script.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

enum { TEXTS_MOST = 16 << 20 }; /* of which only what is written takes memory */

static struct script *of(struct nx_transport *transport)
{
    return (struct script *)transport;
}

static int64_t boot_ms(void *context)
{
    struct script *script = context;
    int64_t now;

    pthread_mutex_lock(&script->mutex);
    now = script->boot_ms;
    pthread_mutex_unlock(&script->mutex);
    return now;
}

static int64_t wall_s(void *context)
{
    struct script *script = context;
    int64_t now;

    pthread_mutex_lock(&script->mutex);
    now = script->wall_s;
    pthread_mutex_unlock(&script->mutex);
    return now;
}

/* The wall clock's milliseconds are those of the boot clock: both begin at whole seconds. */
static struct nx_moment coarse(void *context)
{
    struct script *script = context;
    struct nx_moment now;

    pthread_mutex_lock(&script->mutex);
    now.mono_ns = (script->boot_ms - script->asleep_ms) * 1000000;
    now.wall_ns = (script->wall_s * 1000 + script->boot_ms % 1000) * 1000000;
    pthread_mutex_unlock(&script->mutex);
    return now;
}

static bool entropy(void *context, void *bytes, size_t size)
{
    struct script *script = context;
    unsigned char *next = bytes;

    pthread_mutex_lock(&script->mutex);
    for (size_t i = 0; i < size; i++)
        next[i] = script->next_byte++;
    pthread_mutex_unlock(&script->mutex);
    return !script->entropy_fails;
}

static uint32_t draw(void *context)
{
    uint32_t bits;

    return entropy(context, &bits, sizeof bits) ? bits : UINT32_MAX / 2;
}

/* With the mutex. */
static void pass(struct script *script, int64_t ms)
{
    const int64_t before_s = script->boot_ms / 1000;

    script->boot_ms += ms;
    script->wall_s += script->boot_ms / 1000 - before_s;
}

/* With the mutex. */
static const char *keep(struct script *script, const struct nx_text *text)
{
    char *copy = script->texts + script->texts_size;

    if (text->length >= TEXTS_MOST - script->texts_size)
        abort(); /* the test has longer requests than there is room for */
    memcpy(copy, nx_text_string(text), text->length + 1);
    script->texts_size += text->length + 1;
    return copy;
}

static void record(struct script *script, const struct nx_exchange *exchange)
{
    struct script_request *request;

    if (script->begun >= SCRIPT_ANSWERS)
        return;
    request = &script->requests[script->begun];
    snprintf(request->method, sizeof request->method, "%s",
             exchange->request.carrier == NX_CARRIER_QUERY ? "GET" : "POST");
    request->url = keep(script, &exchange->request.url);
    request->body = keep(script, &exchange->request.body);
    request->one_time = exchange->request.one_time;
}

/* With the mutex. */
static struct script_answer next_answer(const struct script *script)
{
    const struct script_answer never = {.takes_ms = INT64_MAX};

    if (script->begun < script->answer_count)
        return script->answers[script->begun];
    return script->stands ? script->standing : never;
}

/* A place for one more exchange. The order of the places is that of the requests, until they are used again. */
static size_t find_place(struct script *script)
{
    size_t place = script->places;

    for (size_t i = 0; (script->stands || place == SCRIPT_ANSWERS) && i < script->places; i++) {
        if (!script->under_way[i])
            return i;
    }
    if (place == SCRIPT_ANSWERS)
        abort(); /* the test has more under way than there is room for */
    script->places++;
    return place;
}

static void begin(struct nx_transport *transport, struct nx_exchange *exchange)
{
    struct script *script = of(transport);
    struct script_answer answer;
    size_t place;

    pthread_mutex_lock(&script->mutex);
    record(script, exchange);
    answer = next_answer(script);
    place = find_place(script);
    script->under_way[place] = exchange;
    script->coming[place] = answer;
    script->number[place] = script->begun;
    script->due_ms[place] = answer.takes_ms > INT64_MAX / 2 ? INT64_MAX : script->boot_ms + answer.takes_ms;
    if (!answer.unsent) {
        exchange->sendings = 1;
        exchange->sent_boot_ms = script->boot_ms;
        exchange->sent_wall_s = script->wall_s;
    }
    script->begun++;
    pthread_mutex_unlock(&script->mutex);
}

static void add_location(struct nx_text *text, const char *location, const struct nx_exchange *exchange)
{
    const char *place = strstr(location, "{state}");
    const char *state = strstr(nx_text_string(&exchange->request.url), "&state=");

    if (!place || !state) {
        nx_text_add(text, location);
        return;
    }
    nx_text_add_bytes(text, location, (size_t)(place - location));
    nx_text_add_bytes(text, state + 7, strcspn(state + 7, "&"));
    nx_text_add(text, place + strlen("{state}"));
}

static void deliver(const struct script_answer *answer, struct nx_exchange *exchange)
{
    struct nx_response *response = &exchange->response;

    exchange->loss = answer->loss;
    if (answer->loss) {
        snprintf(exchange->reason, sizeof exchange->reason, "as the script has it");
        return;
    }
    response->http_status = answer->status;
    if (answer->body)
        nx_text_add_bytes(&response->body, answer->body, answer->body_size ? answer->body_size : strlen(answer->body));
    if (answer->location)
        add_location(&response->location, answer->location, exchange);
    if (answer->retry_after)
        nx_text_add(&response->retry_after, answer->retry_after);
    if (nx_text_failed(&response->body) || nx_text_failed(&response->location) ||
        nx_text_failed(&response->retry_after))
        exchange->loss = NX_LOSS_MEMORY;
}

/* The first of those under way that is due; SCRIPT_ANSWERS when there is none. With the mutex. */
static size_t next_due(const struct script *script)
{
    size_t next = SCRIPT_ANSWERS;

    for (size_t i = 0; i < script->places; i++) {
        if (script->under_way[i] && (next == SCRIPT_ANSWERS || script->due_ms[i] < script->due_ms[next]))
            next = i;
    }
    return next;
}

/* Without anything due, either time passes or, among threads, somebody else has to make something happen. Who waits for
 * ever, as for what another thread is about to do, lets a minute pass at a time: no clock comes to the end of its
 * numbers. */
static void wait_for_nothing(struct script *script, int64_t wait_ms)
{
    const int64_t for_ever_ms = INT64_MAX / 2;
    const int64_t minute_ms = 60000;

    script->asleep++;
    while (script->blocks && !script->wakeup && wait_ms > 0)
        pthread_cond_wait(&script->roused, &script->mutex);
    script->asleep--;
    if (!script->wakeup)
        pass(script, wait_ms > for_ever_ms - script->boot_ms ? minute_ms : wait_ms);
}

/* Whatever a turn returns for, it has taken notice. */
static void take_wakeup(struct script *script)
{
    eventfd_t wakeups;

    script->wakeup = false;
    eventfd_read(script->roused_event, &wakeups);
}

/* Delivers all that are due by now, as one turn of a network may. */
static struct nx_exchange *deliver_due(struct script *script)
{
    struct nx_exchange *finished = NULL;

    for (size_t i = 0; i < script->places; i++) {
        struct nx_exchange *exchange = script->under_way[i];

        if (!exchange || script->due_ms[i] > script->boot_ms)
            continue;
        script->under_way[i] = NULL;
        if (script->number[i] < SCRIPT_ANSWERS)
            script->requests[script->number[i]].answered = true;
        deliver(&script->coming[i], exchange);
        exchange->next = finished;
        finished = exchange;
    }
    return finished;
}

static struct nx_exchange *turn(struct nx_transport *transport, int64_t wait_ms)
{
    struct script *script = of(transport);
    struct nx_exchange *finished;
    size_t next;

    pthread_mutex_lock(&script->mutex);
    next = next_due(script);
    if (next == SCRIPT_ANSWERS || script->due_ms[next] == INT64_MAX || script->due_ms[next] - script->boot_ms > wait_ms)
        wait_for_nothing(script, wait_ms);
    else if (script->due_ms[next] > script->boot_ms)
        pass(script, script->due_ms[next] - script->boot_ms);
    take_wakeup(script);
    finished = deliver_due(script);
    pthread_mutex_unlock(&script->mutex);
    return finished;
}

static void give_up(struct nx_transport *transport, struct nx_exchange *exchange)
{
    struct script *script = of(transport);

    pthread_mutex_lock(&script->mutex);
    for (size_t i = 0; i < script->places; i++) {
        if (script->under_way[i] == exchange)
            script->under_way[i] = NULL;
    }
    script->given_up++;
    pthread_mutex_unlock(&script->mutex);
}

static void wakeup(struct nx_transport *transport)
{
    script_rouse(of(transport));
}

static int descriptor(struct nx_transport *transport)
{
    return of(transport)->roused_event;
}

static int64_t patience(struct nx_transport *transport)
{
    struct script *script = of(transport);
    int64_t wait_ms = -1;
    size_t next;

    pthread_mutex_lock(&script->mutex);
    next = next_due(script);
    if (next != SCRIPT_ANSWERS && script->due_ms[next] != INT64_MAX)
        wait_ms = script->due_ms[next] > script->boot_ms ? script->due_ms[next] - script->boot_ms : 0;
    pthread_mutex_unlock(&script->mutex);
    return wait_ms;
}

static void free_transport(struct nx_transport *transport)
{
    of(transport)->freed = true;
}

static const struct nx_transport_verbs verbs = {begin, turn, give_up, wakeup, descriptor, patience, free_transport};

void script_init(struct script *script)
{
    memset(script, 0, sizeof *script);
    script->base.verbs = &verbs;
    script->boot_ms = 1000000;
    script->wall_s = 2000000000;
    script->texts = mmap(NULL, TEXTS_MOST, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (script->texts == MAP_FAILED)
        abort();
    script->roused_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pthread_mutex_init(&script->mutex, NULL);
    pthread_cond_init(&script->roused, NULL);
}

void script_release(struct script *script)
{
    munmap(script->texts, TEXTS_MOST);
    close(script->roused_event);
    pthread_cond_destroy(&script->roused);
    pthread_mutex_destroy(&script->mutex);
}

struct nx_world script_world(struct script *script)
{
    return (struct nx_world){.clock = {boot_ms, wall_s, coarse, script},
                             .entropy = entropy,
                             .draw = draw,
                             .entropy_context = script,
                             .transport = &script->base};
}

void script_answer(struct script *script, struct script_answer answer)
{
    pthread_mutex_lock(&script->mutex);
    script->answers[script->answer_count++] = answer;
    pthread_mutex_unlock(&script->mutex);
}

void script_answer_always(struct script *script, struct script_answer answer)
{
    pthread_mutex_lock(&script->mutex);
    script->standing = answer;
    script->stands = true;
    pthread_mutex_unlock(&script->mutex);
}

void script_pass_ms(struct script *script, int64_t ms)
{
    pthread_mutex_lock(&script->mutex);
    pass(script, ms);
    pthread_mutex_unlock(&script->mutex);
}

bool script_sleeps(struct script *script)
{
    bool sleeps;

    pthread_mutex_lock(&script->mutex);
    sleeps = script->asleep > 0;
    pthread_mutex_unlock(&script->mutex);
    return sleeps;
}

size_t script_begun(struct script *script)
{
    size_t begun;

    pthread_mutex_lock(&script->mutex);
    begun = script->begun;
    pthread_mutex_unlock(&script->mutex);
    return begun;
}

void script_rouse(struct script *script)
{
    pthread_mutex_lock(&script->mutex);
    script->wakeup = true;
    eventfd_write(script->roused_event, 1);
    pthread_cond_broadcast(&script->roused);
    pthread_mutex_unlock(&script->mutex);
}
