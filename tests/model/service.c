#include "service.h"

#include "schedule.h"
#include "session/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXCHANGES = 16, WALL_S = 2000000000, TEXT = 256 };

enum stage {
    STAGE_BEGUN,    /* nothing has left */
    STAGE_SENT,     /* the service has it */
    STAGE_SILENT,   /* no answer comes */
    STAGE_ANSWERED, /* the answer or the loss is there for the next turn */
    STAGE_OVER
};

struct flying {
    struct nx_exchange *exchange;
    enum stage stage;
    int refresh; /* the number of the refresh token that it carries; -1: none */
};

/* What is known of a refresh token. */
enum fate {
    FATE_UNSPENT,
    FATE_IN_DOUBT, /* sent, and not answered */
    FATE_SPENT,
    FATE_REFUSED
};

static struct {
    struct nx_transport base;
    int failures; /* how many more requests may fail */
    struct flying flying[EXCHANGES];
    int begun;
    bool roused, inside;
    enum fate fates[GENERATIONS];
    int newest;                /* the last number handed out */
    bool rotates[GENERATIONS]; /* a refresh token came with it */
    bool told[GENERATIONS];    /* it reached the library */
    int64_t told_ms[GENERATIONS];
    bool saved[GENERATIONS];
    int64_t save_ms;
    bool connected, brought; /* the code of a connect was sent, or that of a web handler */
    bool gave_up;
    bool over;
} service;

/* ---- The network and the service -------------------------------------------------------------------------------- */

static int number_after(const char *text, const char *prefix)
{
    const char *at = strstr(text, prefix);

    return at ? (int)strtol(at + strlen(prefix), NULL, 10) : -1;
}

/* The n-th of those that wait for the network or the service; EXCHANGES: there are fewer. */
static int find_flying(int n)
{
    for (int i = 0; i < service.begun; i++) {
        if (service.flying[i].stage <= STAGE_SENT && n-- == 0)
            return i;
    }
    return EXCHANGES;
}

static bool has_something_to_do(void *context)
{
    (void)context;
    return service.over || find_flying(0) != EXCHANGES;
}

static bool may_fail(void)
{
    return service.failures > 0;
}

static void lose(struct flying *flying, enum nx_loss loss)
{
    flying->exchange->loss = loss;
    flying->stage = STAGE_ANSWERED;
    service.failures--;
}

static void judge_code(const char *body, const char *code, bool *sent)
{
    if (!strstr(body, code))
        return;
    if (*sent)
        schedule_fail("%s is sent twice", code);
    *sent = true;
}

static const nexauth_source *source_of(const struct nx_exchange *exchange)
{
    return ((const struct nx_acquisition *)exchange->context)->source;
}

/* Nothing else of its source is under way, be it on its way to the engine or back. One that is over stays listed until
 * what came of it was told. */
static void judge_alone(const struct nx_exchange *exchange)
{
    const struct nx_acquisition *own = exchange->context;

    for (const struct nx_acquisition *other = own->source->session->acquisitions; other; other = other->next) {
        if (other != own && other->source == own->source && !other->done)
            schedule_fail("two flights of one source are under way");
    }
    for (int i = 0; i < service.begun; i++) {
        const struct flying *flying = &service.flying[i];

        if (flying->exchange != exchange && flying->stage != STAGE_OVER && source_of(flying->exchange) == own->source)
            schedule_fail("two requests of one source are under way");
    }
}

/* The request leaves, or does not. */
static void send(struct flying *flying)
{
    struct nx_exchange *exchange = flying->exchange;

    if (may_fail() && schedule_choose(2)) {
        schedule_note("is lost before it leaves", flying->refresh);
        lose(flying, NX_LOSS_CONNECT);
        return;
    }
    judge_alone(exchange);
    schedule_note("leaves with refresh token", flying->refresh);
    exchange->sendings = 1;
    exchange->sent_boot_ms = schedule_now_ms();
    exchange->sent_wall_s = WALL_S;
    flying->stage = STAGE_SENT;
    judge_code(nx_text_string(&exchange->request.body), "code=the-code", &service.connected);
    judge_code(nx_text_string(&exchange->request.body), "code=brought-code", &service.brought);
    if (flying->refresh < 0)
        return;
    if (flying->refresh >= GENERATIONS || service.fates[flying->refresh] != FATE_UNSPENT)
        schedule_fail("refresh-%d is sent although it was sent before", flying->refresh);
    service.fates[flying->refresh] = FATE_IN_DOUBT;
}

static void set_fate(const struct flying *flying, enum fate fate)
{
    if (flying->refresh >= 0)
        service.fates[flying->refresh] = fate;
}

static void answer(struct flying *flying, int status, const char *body)
{
    flying->exchange->response.http_status = status;
    nx_text_add(&flying->exchange->response.body, body);
    flying->stage = STAGE_ANSWERED;
}

static void redirect(struct flying *flying)
{
    const char *state = strstr(nx_text_string(&flying->exchange->request.url), "&state=") + strlen("&state=");
    struct nx_text *location = &flying->exchange->response.location;

    nx_text_add(location, "https://app.example.com/callback?code=the-code&state=");
    nx_text_add_bytes(location, state, strcspn(state, "&"));
    answer(flying, 302, "");
}

static void succeed(struct flying *flying)
{
    const bool credentials = flying->refresh < 0 && !strstr(nx_text_string(&flying->exchange->request.body), "code=");
    const int number = ++service.newest;
    char body[TEXT];

    set_fate(flying, FATE_SPENT);
    service.rotates[number] = !credentials;
    if (credentials)
        snprintf(body, sizeof body, "{\"access_token\":\"access-%d\",\"expires_in\":100}", number);
    else
        snprintf(body, sizeof body,
                 "{\"code\":0,\"result\":{\"access_token\":\"access-%d\",\"expires_in\":100,"
                 "\"refresh_token\":\"refresh-%d\"}}",
                 number, number);
    schedule_note("is answered with token", number);
    answer(flying, 200, body);
}

static void fail(struct flying *flying, int how)
{
    schedule_note("fails after it left", how);
    service.failures--;
    if (how == 0) {
        service.failures++;
        lose(flying, NX_LOSS_CUT);
    } else if (how == 1) {
        set_fate(flying, FATE_REFUSED);
        answer(flying, 400, "{\"error\":\"invalid_grant\"}");
    } else if (how == 2) {
        set_fate(flying, FATE_UNSPENT);
        answer(flying, 503, "");
    } else {
        flying->stage = STAGE_SILENT;
    }
}

/* The service has looked at the request. */
static void decide(struct flying *flying)
{
    const int how = may_fail() ? schedule_choose(5) : 0;

    if (how)
        fail(flying, how - 1);
    else if (strstr(nx_text_string(&flying->exchange->request.url), "/oauth/connect"))
        redirect(flying);
    else
        succeed(flying);
}

static void work(void *context)
{
    (void)context;
    for (;;) {
        int count = 0;
        struct flying *flying;

        schedule_wait("waits for a request", has_something_to_do, NULL, INT64_MAX, false);
        if (service.over)
            return;
        while (find_flying(count) != EXCHANGES)
            count++;
        flying = &service.flying[find_flying(schedule_choose(count))];
        if (flying->stage == STAGE_BEGUN)
            send(flying);
        else
            decide(flying);
    }
}

/* ---- The transport ---------------------------------------------------------------------------------------------- */

static void enter(void)
{
    if (service.inside)
        schedule_fail("two threads turn the engine");
    service.inside = true;
}

static void begin(struct nx_transport *transport, struct nx_exchange *exchange)
{
    struct flying *flying = &service.flying[service.begun++];

    (void)transport;
    enter();
    if (service.begun == EXCHANGES)
        schedule_fail("there is no end of requests");
    *flying = (struct flying){exchange, STAGE_BEGUN,
                              number_after(nx_text_string(&exchange->request.body), "refresh_token=refresh-")};
    judge_alone(exchange);
    service.inside = false;
}

static bool has_work(void *context)
{
    if (service.roused)
        return true;
    (void)context;
    for (int i = 0; i < service.begun; i++) {
        if (service.flying[i].stage == STAGE_ANSWERED)
            return true;
    }
    return false;
}

static void note_told(int number)
{
    service.told[number] = true;
    service.told_ms[number] = schedule_now_ms();
}

static struct nx_exchange *collect(void)
{
    struct nx_exchange *finished = NULL;

    for (int i = 0; i < service.begun; i++) {
        struct flying *flying = &service.flying[i];
        struct nx_exchange *exchange = flying->exchange;

        if (flying->stage != STAGE_ANSWERED)
            continue;
        flying->stage = STAGE_OVER;
        exchange->next = finished;
        finished = exchange;
        if (!exchange->loss && exchange->response.http_status == 200)
            note_told(number_after(nx_text_string(&exchange->response.body), "access-"));
    }
    return finished;
}

/* A wakeup ends one wait at the least; here it ends one at the most. */
static struct nx_exchange *turn(struct nx_transport *transport, int64_t wait_ms)
{
    struct nx_exchange *finished;

    (void)transport;
    enter();
    schedule_point("turns");
    if (wait_ms > 0)
        schedule_wait("waits for the network", has_work, NULL, wait_ms, true);
    service.roused = false;
    finished = collect();
    service.inside = false;
    return finished;
}

/* What may have rotated the refresh token is awaited as long as it may take. */
static void judge_end(const struct flying *flying)
{
    const struct nx_exchange *exchange = flying->exchange;

    if (exchange->request.one_time && exchange->sendings && schedule_now_ms() < exchange->deadline_ms)
        schedule_fail("a one-time request is given up after it left");
}

static void give_up(struct nx_transport *transport, struct nx_exchange *exchange)
{
    (void)transport;
    enter();
    schedule_note("gives up", 0);
    service.gave_up = true;
    for (int i = 0; i < service.begun; i++) {
        if (service.flying[i].exchange == exchange && service.flying[i].stage != STAGE_OVER) {
            judge_end(&service.flying[i]);
            service.flying[i].stage = STAGE_OVER;
        }
    }
    service.inside = false;
}

static void wakeup(struct nx_transport *transport)
{
    (void)transport;
    schedule_note("rouses the leader", 0);
    service.roused = true;
}

static int descriptor(struct nx_transport *transport)
{
    (void)transport;
    return -1;
}

static int64_t patience(struct nx_transport *transport)
{
    (void)transport;
    return has_work(NULL) ? 0 : -1;
}

static void free_transport(struct nx_transport *transport)
{
    (void)transport;
    enter();
}

/* ---- The world -------------------------------------------------------------------------------------------------- */

static int64_t boot_ms(void *context)
{
    (void)context;
    return schedule_now_ms();
}

static int64_t wall_s(void *context)
{
    (void)context;
    return WALL_S;
}

static struct nx_moment coarse(void *context)
{
    (void)context;
    return (struct nx_moment){.mono_ns = schedule_now_ms() * 1000000, .wall_ns = (int64_t)WALL_S * 1000000000};
}

static bool entropy(void *context, void *bytes, size_t size)
{
    (void)context;
    memset(bytes, 1, size);
    return true;
}

static uint32_t draw(void *context)
{
    (void)context;
    return UINT32_MAX / 0xff;
}

static const struct nx_transport_verbs verbs = {begin, turn, give_up, wakeup, descriptor, patience, free_transport};

void service_begin(void)
{
    memset(&service, 0, sizeof service);
    service.base.verbs = &verbs;
}

void service_allow(int failures)
{
    service.failures = failures;
}

void service_spawn(void)
{
    schedule_spawn("network", work, NULL);
}

struct nx_world service_world(void)
{
    return (struct nx_world){
        .clock = {boot_ms, wall_s, coarse, NULL}, .entropy = entropy, .draw = draw, .transport = &service.base};
}

/* ---- What may be expected --------------------------------------------------------------------------------------- */

void service_save_for(int64_t ms)
{
    service.save_ms = ms;
}

static bool never(void *context)
{
    (void)context;
    return false;
}

nexauth_status service_save(void *context, nexauth_token *token)
{
    const int number = number_after(nexauth_token_access_token(token), "access-");

    (void)context;
    schedule_note("is told to save token", number);
    if (service.save_ms)
        schedule_wait("saves", never, NULL, service.save_ms, false);
    if (service.saved[number])
        schedule_fail("access-%d is saved again", number);
    if (service.rotates[number] && number_after(nexauth_token_refresh_token(token), "refresh-") != number)
        schedule_fail("access-%d is saved without its refresh token", number);
    service.saved[number] = true;
    return NEXAUTH_OK;
}

/* Whether the source holds this refresh token, or has gone on from it. */
static bool holds(const nexauth_source *source, int number)
{
    return service.fates[number] != FATE_UNSPENT ||
           number_after(nx_text_string(&source->grant->refresh_token), "refresh-") >= number;
}

/* Whether time has passed between the coming of a token and its handing out to who waited for it. */
static bool came_late(int number, int64_t since_ms)
{
    return service.told_ms[number] >= since_ms && service.told_ms[number] < schedule_now_ms() && !service.save_ms &&
           !schedule_was_hasty();
}

void service_judge(const nexauth_source *source, const nexauth_token *token, int64_t since_ms)
{
    const int number = number_after(nexauth_token_access_token(token), "access-");

    if (!service.saved[number])
        schedule_fail("access-%d is handed out before it is saved", number);
    if (source && service.rotates[number] && !holds(source, number))
        schedule_fail("access-%d is handed out, and the source does not hold its refresh token", number);
    if (came_late(number, since_ms))
        schedule_fail("access-%d is handed out some time after it came", number);
}

bool service_gave_up(void)
{
    return service.gave_up;
}

void service_end(void)
{
    if (!service.inside)
        schedule_fail("the transport was not freed");
    for (int i = 0; i < service.begun; i++) {
        if (service.flying[i].stage != STAGE_OVER)
            schedule_fail("a request is under way when all is freed");
    }
    for (int i = 0; i < GENERATIONS; i++) {
        if (service.told[i] && !service.saved[i])
            schedule_fail("access-%d reached the library, and was never saved", i);
    }
    service.over = true;
}
