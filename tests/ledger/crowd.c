#include "ledger/crowd.h"

#include "core/ledger.h"

#include <stdio.h>
#include <stdlib.h>

enum { SPINS = 1000 };

#define RETRY_US INT64_C(100000)

struct crowd crowd;

void crowd_fail(const char *fault)
{
    if (!crowd.figures->fault)
        crowd.figures->fault = fault;
}

int64_t crowd_clock(void)
{
    return clock_show(&crowd.clock, crowd.now_us);
}

/* ---- Requests --------------------------------------------------------------------------------------------------- */

const struct stream *crowd_stream_of(const struct request *request)
{
    return crowd.scene->streams + request->stream;
}

void crowd_expect(int64_t time_us, enum kind kind, struct request *request, uint32_t part)
{
    request->events++;
    agenda_add(&crowd.agenda, time_us, kind, (uint32_t)(request - crowd.requests), part);
}

static struct request *begin(uint32_t stream)
{
    struct request *request;

    if (crowd.unused_count == 0) {
        fprintf(stderr, "too few requests\n");
        exit(2);
    }
    request = crowd.requests + crowd.unused[--crowd.unused_count];
    *request = (struct request){.used = true, .stream = stream, .asked_us = crowd.now_us};
    return request;
}

void crowd_release_if_over(struct request *request)
{
    if (!request->used || request->waiting || request->out || request->events)
        return;
    request->used = false;
    crowd.unused[crowd.unused_count++] = (uint32_t)(request - crowd.requests);
}

void crowd_set_waiting(struct request *request, bool waiting)
{
    const int change = (int)waiting - (int)request->waiting;

    crowd.waiting[request->stream] += (uint32_t)change;
    crowd.lanes[crowd_stream_of(request)->lane] += (uint32_t)change;
    request->waiting = waiting;
}

/*
 * The bound: with `ahead` waiters before it, four grants for each of them and itself, as the other lane may have three
 * of four; a gate of N slots gives N grants in the longest time that a slot is busy; and one such time to begin with.
 */
static int64_t rounds_of(const struct request *request)
{
    uint32_t fewest = UINT32_MAX;

    for (int i = 0; i < GATES; i++) {
        const uint32_t allowed = crowd.scene->gates[i].allowed;

        if (crowd_stream_of(request)->gates >> i & 1 && allowed < fewest)
            fewest = allowed;
    }
    return 2 + 4 * ((int64_t)request->ahead + 1) / fewest;
}

void crowd_judge_wait(const struct request *request)
{
    const int64_t waited_us = crowd.now_us - request->asked_us;
    const double round_us = (double)waited_us / (double)rounds_of(request);

    if (crowd.scene->sleep_us && crowd_stream_of(request)->owner == SLEEPER)
        return;
    if (request->deadline_us && crowd_clock() > request->deadline_us + crowd.scene->tick_us)
        crowd_fail("who waits is not told at its deadline");
    if (waited_us > crowd.figures->longest_wait_us)
        crowd.figures->longest_wait_us = waited_us;
    if (round_us > crowd.figures->longest_round_us)
        crowd.figures->longest_round_us = round_us;
}

void crowd_send(struct request *request)
{
    const struct network *network = &crowd.scene->network;
    const uint32_t part = request->sent++;
    const int64_t there_us = network_up(network, &crowd.dice, crowd.now_us);

    request->sendings[part] = (struct sending){crowd.now_us, INT64_MAX};
    if (there_us != NETWORK_NEVER)
        crowd_expect(there_us, ARRIVE, request, part);
    if (part == 0 && dice_hit(&crowd.dice, network->resent))
        crowd_expect(crowd.now_us + dice_between(&crowd.dice, 0, EXCHANGE_US / 10), DIE_ON_THE_WAY, request, part);
}

/* Its turn has come. */
static void depart(struct request *request)
{
    const int64_t client_us = crowd_clock();

    if (request->waiting) {
        crowd_judge_wait(request);
        if (crowd.lanes[0] && crowd.lanes[1])
            crowd.figures->contested[crowd_stream_of(request)->lane]++;
        crowd_set_waiting(request, false);
    }
    if (request->deadline_us && client_us > request->deadline_us)
        crowd_fail("a turn comes after the deadline");
    request->out = true;
    crowd.figures->granted++;
    crowd.figures->asleep_granted += crowd_stream_of(request)->owner == SLEEPER;
    if (dice_hit(&crowd.dice, crowd.scene->network.unsent)) {
        request->sendings[request->sent++] = (struct sending){crowd.now_us, INT64_MAX};
        crowd_expect(crowd.now_us + dice_between(&crowd.dice, 0, 2000000), NOTHING_LEFT, request, 0);
        return;
    }
    crowd_send(request);
    crowd_expect(crowd.now_us + EXCHANGE_US, TIME_OUT, request, 0);
}

/* ---- What waits ------------------------------------------------------------------------------------------------- */

static struct nx_want want_of(const struct request *request)
{
    const struct stream *stream = crowd_stream_of(request);
    struct nx_want want = {.lane = stream->lane, .owner = stream->owner, .deadline_us = INT64_MAX};

    for (int i = 0; i < GATES; i++) {
        if (stream->gates >> i & 1)
            want.gates[want.count++] = crowd.ids[i];
    }
    want.context = (uint64_t)(request - crowd.requests);
    if (request->deadline_us)
        want.deadline_us = request->deadline_us;
    return want;
}

static enum nx_turn ask(uint32_t stream)
{
    struct request *request = begin(stream);
    const int64_t patience_us = crowd_stream_of(request)->patience_us;
    struct nx_want want;
    int64_t at_us = 0;
    enum nx_turn turn;

    if (patience_us)
        request->deadline_us = crowd_clock() + dice_between(&crowd.dice, 0, patience_us);
    request->ahead = crowd.lanes[0] + crowd.lanes[1];
    want = want_of(request);
    if (nx_ledger_go(crowd.ledger, &want, &request->ticket))
        turn = NX_TURN_NOW;
    else
        turn = nx_ledger_ask(crowd.ledger, &want, crowd_clock(), &request->ticket, &at_us);
    if (turn == NX_TURN_NOW)
        depart(request);
    else if (turn == NX_TURN_WAITS)
        crowd_set_waiting(request, true);
    else if (!request->deadline_us || at_us < request->deadline_us)
        crowd_fail("a turn is refused that may come before the deadline");
    crowd.figures->never += turn == NX_TURN_NEVER;
    crowd_release_if_over(request);
    return turn;
}

bool crowd_is_asleep(uint32_t owner)
{
    const int64_t sleep_us = crowd.scene->sleep_us;

    return sleep_us && owner == SLEEPER && crowd.now_us % sleep_us >= sleep_us / 5;
}

static void keep_pace(uint32_t number)
{
    const struct stream *stream = crowd.scene->streams + number;

    if (!stream->pace_us || crowd.paces_us[number] > crowd.now_us)
        return;
    crowd.cold[number] += (uint32_t)dice_between(&crowd.dice, 0, 2 * (int64_t)stream->backlog);
    crowd.paces_us[number] = crowd.now_us + stream->pace_us;
    agenda_add(&crowd.agenda, crowd.paces_us[number], ASK, number, 0);
}

static bool is_one_more_wanted(uint32_t number)
{
    const struct stream *stream = crowd.scene->streams + number;

    if (crowd.cold[number] == 0)
        return !stream->pace_us && crowd.waiting[number] < stream->backlog;
    crowd.cold[number]--;
    return true;
}

static void fill(uint32_t number)
{
    const struct stream *stream = crowd.scene->streams + number;

    keep_pace(number);
    while (stream->gates && crowd.asks_us[number] <= crowd.now_us) {
        if (!is_one_more_wanted(number))
            return;
        if (ask(number) == NX_TURN_NEVER) {
            crowd.asks_us[number] = crowd.now_us + RETRY_US;
            agenda_add(&crowd.agenda, crowd.asks_us[number], ASK, number, 0);
        }
    }
}

static void look(uint32_t owner)
{
    uint32_t ticket = 0;
    uint64_t context = 0;
    bool late = false;

    while (nx_ledger_next(crowd.ledger, owner, crowd_clock(), &ticket, &context, &late)) {
        struct request *request = crowd.requests + context;

        if (context >= REQUESTS || !request->waiting || request->ticket != ticket) {
            crowd_fail("a turn comes for what does not wait");
            return;
        }
        if (late) {
            crowd_judge_wait(request);
            crowd_set_waiting(request, false);
            crowd.figures->late++;
            crowd_release_if_over(request);
        } else
            depart(request);
    }
}

void crowd_plan(uint32_t owner, int64_t look_us)
{
    const int64_t sleep_us = crowd.scene->sleep_us;

    if (look_us <= crowd.now_us)
        look_us = crowd.now_us + 1;
    if (crowd_is_asleep(owner))
        look_us = (crowd.now_us / sleep_us + 1) * sleep_us;
    if (look_us == crowd.looks_us[owner])
        return;
    crowd.looks_us[owner] = look_us;
    if (look_us != INT64_MAX)
        agenda_add(&crowd.agenda, look_us, LOOK, owner, 0);
}

static void act(uint32_t owner)
{
    uint64_t granted;
    int64_t due_us;
    int spins = 0;

    do {
        granted = crowd.figures->granted;
        look(owner);
        for (uint32_t i = 0; i < STREAMS; i++) {
            if (crowd.scene->streams[i].owner == owner)
                fill(i);
        }
    } while (crowd.figures->granted != granted && ++spins < SPINS);
    if (spins == SPINS)
        crowd_fail("turns come without end");
    due_us = nx_ledger_due(crowd.ledger, owner, crowd_clock());
    crowd.looks[owner] = due_us <= crowd_clock() ? crowd.looks[owner] + 1 : 0;
    if (crowd.looks[owner] == SPINS)
        crowd_fail("an owner is due again and again for nothing");
    crowd_plan(owner, due_us == INT64_MAX ? INT64_MAX : clock_moment(&crowd.clock, due_us));
}

void crowd_act(uint32_t owner)
{
    int spins = 0;

    if (crowd_is_asleep(owner))
        return;
    act(owner);
    while (nx_ledger_wake(crowd.ledger, &owner)) {
        if (crowd_is_asleep(owner))
            crowd_plan(owner, 0);
        else
            act(owner);
        if (++spins == SPINS) {
            crowd_fail("owners wake each other without end");
            return;
        }
    }
}
