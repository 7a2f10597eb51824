#include "ledger/traffic.h"

#include "core/ledger.h"
#include "ledger/crowd.h"

#include <stdlib.h>
#include <string.h>

enum { TICKETS = 12000, RESTART_US = 1000000 };

#define BEGIN_US INT64_C(1000000000000) /* so that no time is special */

/* As long as the rule says that a slot is busy, in the time of the simulation. */
static int64_t cooling_us(int gate, bool is_given_up)
{
    const int64_t window_us = crowd.scene->gates[gate].window_us;
    const int64_t client_us = window_us + window_us / 1000 + (is_given_up ? NX_LEDGER_GRACE_US : 0);

    return client_us * 1000000 / (1000000 + crowd.scene->client_ppm);
}

static int64_t cut(int64_t time_us)
{
    return time_us < crowd.from_us ? crowd.from_us : time_us > crowd.end_us ? crowd.end_us : time_us;
}

/* When the rule frees the sending's slot in a gate. */
static int64_t free_us(const struct sending *sending, int gate, enum nx_end end)
{
    if (end == NX_END_UNSENT)
        return crowd.now_us;
    if (sending->given_up_us != INT64_MAX)
        return sending->given_up_us + cooling_us(gate, true);
    return crowd.now_us + cooling_us(gate, end == NX_END_GIVEN_UP);
}

static void note_busy(const struct request *request, const struct sending *sending, enum nx_end end)
{
    for (int i = 0; i < GATES; i++) {
        const int64_t until_us = free_us(sending, i, end);

        if (!(crowd_stream_of(request)->gates >> i & 1))
            continue;
        crowd.busy_us[i] += cut(until_us) - cut(sending->taken_us);
        if (until_us - sending->taken_us > crowd.figures->longest_busy_us)
            crowd.figures->longest_busy_us = until_us - sending->taken_us;
    }
}

static void give_up(struct sending *sending)
{
    if (sending->given_up_us == INT64_MAX)
        sending->given_up_us = crowd.now_us;
}

static void forget(struct request *request, enum nx_end end)
{
    for (uint32_t i = 0; i < request->sent; i++) {
        note_busy(request, request->sendings + i, end);
        if (end == NX_END_GIVEN_UP)
            give_up(request->sendings + i);
    }
    request->out = false;
    crowd.figures->given_up += end == NX_END_GIVEN_UP;
    crowd.figures->unsent += end == NX_END_UNSENT;
}

static void end(struct request *request, enum nx_end end, enum nx_word word)
{
    struct nx_outcome outcome = {.end = end, .word = word, .draw = (uint32_t)dice_next(&crowd.dice)};

    outcome.held = crowd.ids[0];
    outcome.retry_after_us = dice_between(&crowd.dice, 0, 5000000);
    nx_ledger_end(crowd.ledger, request->ticket, &outcome, crowd_clock());
    forget(request, end);
}

/* ---- What happens ----------------------------------------------------------------------------------------------- */

static void arrive(struct request *request, uint32_t part)
{
    const struct network *network = &crowd.scene->network;
    int64_t back_us;

    if (crowd.now_us - request->sendings[part].given_up_us >= NX_LEDGER_GRACE_US)
        return;
    for (int i = 0; i < GATES; i++) {
        if (crowd_stream_of(request)->gates >> i & 1)
            door_count(crowd.doors + i, crowd.now_us);
    }
    back_us = network_down(network, &crowd.dice, crowd.now_us);
    if (request->out && back_us != NETWORK_NEVER)
        crowd_expect(back_us, ANSWER, request, part);
}

static void take_answer(struct request *request, uint32_t part)
{
    if (!request->out || part + 1 != request->sent)
        return;
    if (dice_hit(&crowd.dice, crowd.scene->network.gateway))
        end(request, NX_END_GIVEN_UP, NX_WORD_NONE);
    else if (dice_hit(&crowd.dice, crowd.scene->refused))
        end(request, NX_END_ANSWERED, NX_WORD_REFUSED);
    else
        end(request, NX_END_ANSWERED, NX_WORD_FINE);
}

static void resend(struct request *request)
{
    if (!request->out)
        return;
    give_up(request->sendings);
    if (nx_ledger_again(crowd.ledger, request->ticket, crowd_clock())) {
        crowd.figures->resent++;
        crowd_send(request);
        return;
    }
    crowd.figures->again_refused++;
    end(request, NX_END_GIVEN_UP, NX_WORD_NONE);
}

static void kill_one(void)
{
    const uint32_t owner = (uint32_t)dice_between(&crowd.dice, 0, OWNERS - 1);

    nx_ledger_bury(crowd.ledger, owner, crowd_clock());
    crowd.figures->deaths++;
    for (uint32_t i = 0; i < REQUESTS; i++) {
        struct request *request = crowd.requests + i;

        if (!request->used || crowd_stream_of(request)->owner != owner)
            continue;
        if (request->out)
            forget(request, NX_END_GIVEN_UP);
        if (request->waiting)
            crowd_set_waiting(request, false);
        crowd_release_if_over(request);
    }
    agenda_add(&crowd.agenda, crowd.now_us + dice_between(&crowd.dice, 1, 2 * crowd.scene->death_us), DEATH, 0, 0);
    crowd_plan(owner, crowd.now_us + RESTART_US);
    crowd_act((owner + 1) % OWNERS);
}

static void happen_to(struct request *request, const struct entry *entry)
{
    if (entry->kind == ANSWER)
        take_answer(request, entry->part);
    else if (entry->kind == DIE_ON_THE_WAY)
        resend(request);
    else if (request->out)
        end(request, entry->kind == TIME_OUT ? NX_END_GIVEN_UP : NX_END_UNSENT, NX_WORD_NONE);
}

/* A process that sleeps learns of it when it wakes up. */
static void happen_to_request(const struct entry *entry)
{
    struct request *request = crowd.requests + entry->number;
    const uint32_t owner = crowd_stream_of(request)->owner;
    const int64_t sleep_us = crowd.scene->sleep_us;
    const bool is_news = entry->kind != ARRIVE && request->out;

    request->events--;
    if (entry->kind == ARRIVE)
        arrive(request, entry->part);
    else if (is_news && crowd_is_asleep(owner))
        crowd_expect((crowd.now_us / sleep_us + 1) * sleep_us, (enum kind)entry->kind, request, entry->part);
    else
        happen_to(request, entry);
    crowd_release_if_over(request);
    if (is_news)
        crowd_act(owner);
}

static void happen(const struct entry *entry)
{
    if (entry->kind == DEATH)
        kill_one();
    else if (entry->kind == ASK)
        crowd_act(crowd.scene->streams[entry->number].owner);
    else if (entry->kind != LOOK)
        happen_to_request(entry);
    else if (crowd.looks_us[entry->number] == entry->time_us)
        crowd_act(entry->number);
}

/* ---- From the beginning to the end ------------------------------------------------------------------------------ */

static uint32_t count_slots(const struct scene *scene)
{
    uint32_t slots = 0;

    for (int i = 0; i < GATES; i++)
        slots += scene->gates[i].allowed;
    return slots;
}

static void open_all(const struct scene *scene, int64_t span_us)
{
    const uint32_t slots = count_slots(scene);
    void *memory = calloc(1, nx_ledger_size(TICKETS, slots));

    if (!memory)
        exit(2);
    crowd.ledger = nx_ledger_init(memory, TICKETS, slots);
    crowd.now_us = BEGIN_US;
    crowd.end_us = BEGIN_US + span_us;
    crowd.from_us = BEGIN_US + EXCHANGE_US + NX_LEDGER_GRACE_US;
    for (int i = 0; i < GATES && scene->gates[i].allowed; i++) {
        const int64_t window_us = scene->gates[i].window_us;

        crowd.ids[i] = nx_ledger_gate(crowd.ledger, (uint64_t)i + 1, scene->gates[i].allowed, window_us, 0, 0);
        door_open(crowd.doors + i, scene->gates[i].allowed, window_us, scene->server_ppm);
        if (crowd.from_us < BEGIN_US + EXCHANGE_US + NX_LEDGER_GRACE_US + window_us)
            crowd.from_us = BEGIN_US + EXCHANGE_US + NX_LEDGER_GRACE_US + window_us;
    }
    for (uint32_t i = 0; i < REQUESTS; i++)
        crowd.unused[crowd.unused_count++] = REQUESTS - 1 - i;
    for (uint32_t i = 0; i < STREAMS; i++)
        crowd.cold[i] = scene->streams[i].cold;
    if (scene->death_us)
        agenda_add(&crowd.agenda, crowd.now_us + scene->death_us, DEATH, 0, 0);
}

static void sum_up(void)
{
    for (uint32_t i = 0; i < REQUESTS; i++) {
        const struct request *request = crowd.requests + i;

        if (request->used && request->waiting)
            crowd_judge_wait(request);
        for (uint32_t j = 0; request->used && request->out && j < request->sent; j++)
            note_busy(request, request->sendings + j, NX_END_ANSWERED);
    }
    for (int i = 0; i < GATES && crowd.scene->gates[i].allowed; i++) {
        struct gate_figures *figures = crowd.figures->gates + i;
        const int64_t span_us = crowd.end_us - crowd.from_us;

        *figures = (struct gate_figures){crowd.doors[i].arrivals, crowd.doors[i].over, crowd.doors[i].most, 0};
        figures->idle = 1 - (double)crowd.busy_us[i] / ((double)span_us * crowd.scene->gates[i].allowed);
    }
}

void traffic_run(const struct scene *scene, uint64_t seed, int64_t span_us, struct figures *figures)
{
    struct entry entry;

    memset(&crowd, 0, sizeof crowd);
    memset(figures, 0, sizeof *figures);
    crowd.scene = scene;
    crowd.figures = figures;
    crowd.clock = (struct timepiece){scene->client_ppm, scene->tick_us};
    crowd.dice.state = seed;
    open_all(scene, span_us);
    for (uint32_t i = 0; i < OWNERS; i++)
        crowd_act(i);
    while (!figures->fault && agenda_next(&crowd.agenda, &entry) && entry.time_us < crowd.end_us) {
        crowd.now_us = entry.time_us;
        happen(&entry);
    }
    crowd.now_us = crowd.end_us;
    sum_up();
    for (int i = 0; i < GATES; i++)
        door_close(crowd.doors + i);
    agenda_free(&crowd.agenda);
    free(crowd.ledger);
}
