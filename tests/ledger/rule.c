#include "ledger/rule.h"

#include <stdio.h>
#include <string.h>

static bool has(const struct course *course, enum condition condition)
{
    return !(course->without >> condition & 1);
}

/* A clock that gains a tick in `drift` shows at most one more than have passed, if W + grace is shorter than that. */
static uint8_t answered_for(const struct course *course)
{
    const bool is_longer = course->drift && has(course, WINDOW_LENGTHENED);

    return (uint8_t)(course->window + (is_longer ? 1 : 0));
}

static uint8_t given_up_for(const struct course *course)
{
    return (uint8_t)(answered_for(course) + (has(course, GRACE_AFTER_GIVING_UP) ? course->grace : 0));
}

static uint8_t fuse_of(const struct course *course)
{
    return has(course, GIVING_UP_RESETS) ? course->grace : ENDLESS;
}

bool rule_admits(const struct course *course, const struct state *state)
{
    int taken = 0;

    for (int i = 0; i < state->count; i++) {
        for (int j = 0; j < SENDINGS; j++)
            taken += state->requests[i].sendings[j].slot > 0;
    }
    return taken < course->slots;
}

bool rule_is_broken(const struct course *course, const struct state *state)
{
    int sum = 0;

    for (int i = 0; i < course->window; i++)
        sum += state->arrivals[i];
    return sum > course->slots;
}

static struct sending *newest(struct request *request)
{
    return request->sendings + (request->sendings[1].place != NOWHERE);
}

/* ---- What happens ----------------------------------------------------------------------------------------------- */

static void take(const struct course *course, struct state *state)
{
    struct request *request = state->requests + state->count++;

    *request = (struct request){.out = true};
    request->sendings[0].place = HELD;
    request->sendings[0].slot = has(course, BUSY_FROM_BEFORE_THE_SENDING) ? BUSY : 0;
    if (course->requests != ENDLESS)
        state->begun++;
}

static void leave(const struct course *course, struct sending *sending)
{
    sending->place = FLYING;
    sending->fuse = ENDLESS;
    if (!has(course, WINDOW_AFTER_THE_ANSWER))
        sending->slot = answered_for(course);
}

static void arrive(struct state *state, struct sending *sending)
{
    sending->place = ARRIVED;
    sending->fuse = 0;
    state->arrivals[0]++;
}

static void lose(struct sending *sending)
{
    sending->place = LOST;
    sending->fuse = 0;
}

static void answer(const struct course *course, struct request *request)
{
    request->out = false;
    if (!has(course, WINDOW_AFTER_THE_ANSWER))
        return;
    newest(request)->slot = answered_for(course);
    if (request->sendings[0].slot == BUSY)
        request->sendings[0].slot = answered_for(course);
}

static void light(const struct course *course, struct sending *sending)
{
    if (sending->place == FLYING)
        sending->fuse = fuse_of(course);
}

static void give_up(const struct course *course, struct request *request)
{
    request->out = false;
    light(course, newest(request));
    newest(request)->slot = given_up_for(course);
    if (request->sendings[0].slot == BUSY)
        request->sendings[0].slot = given_up_for(course);
}

/* The transport found its connection dead, and sends once more on another. */
static void resend(const struct course *course, struct request *request)
{
    struct sending *first = request->sendings, *second = request->sendings + 1;

    light(course, first);
    *second = (struct sending){.place = FLYING, .fuse = ENDLESS, .slot = BUSY};
    if (!has(course, SLOT_FOR_A_RESEND))
        first->slot = 0;
    else if (has(course, GRACE_AFTER_A_RESEND))
        first->slot = given_up_for(course);
}

static void end_unsent(const struct course *course, struct request *request)
{
    request->out = false;
    for (int i = 0; i < SENDINGS; i++) {
        request->sendings[i].slot = 0;
        light(course, request->sendings + i);
        if (request->sendings[i].place == HELD)
            request->sendings[i].place = NOWHERE;
    }
}

static void age(struct sending *sending, uint8_t elapsed)
{
    if (sending->slot != BUSY)
        sending->slot = (uint8_t)(sending->slot > elapsed ? sending->slot - elapsed : 0);
    if (sending->place != FLYING || sending->fuse == ENDLESS)
        return;
    if (sending->fuse == 0)
        lose(sending);
    else
        sending->fuse--;
}

static void tick(const struct course *course, struct state *state)
{
    uint8_t elapsed = 1;

    memmove(state->arrivals + 1, state->arrivals, LONGEST_WINDOW - 1);
    state->arrivals[0] = 0;
    memset(state->arrivals + course->window, 0, (size_t)(LONGEST_WINDOW - course->window));
    if (course->drift) {
        state->phase = (uint8_t)((state->phase + 1) % course->drift);
        elapsed = (uint8_t)(elapsed + !state->phase);
    }
    for (int i = 0; i < state->count; i++) {
        for (int j = 0; j < SENDINGS; j++)
            age(state->requests[i].sendings + j, elapsed);
    }
}

void rule_make(const struct course *course, struct state *state, struct move move)
{
    struct request *request = state->requests + move.request;

    switch (move.event) {
    case TAKE:
        take(course, state);
        break;
    case LEAVE:
        leave(course, request->sendings);
        break;
    case ARRIVE:
        arrive(state, request->sendings + move.sending);
        break;
    case LOSE:
        lose(request->sendings + move.sending);
        break;
    case ANSWER:
        answer(course, request);
        break;
    case GIVE_UP:
        give_up(course, request);
        break;
    case RESEND:
        resend(course, request);
        break;
    case UNSENT:
        end_unsent(course, request);
        break;
    default:
        tick(course, state);
    }
}

/* ---- What can happen -------------------------------------------------------------------------------------------- */

struct list {
    struct move *moves;
    int count;
};

static void add(struct list *list, bool is_possible, enum event event, int request, int sending)
{
    if (is_possible)
        list->moves[list->count++] = (struct move){(uint8_t)event, (uint8_t)request, (uint8_t)sending};
}

static void add_of_request(const struct course *course, const struct state *state, int i, struct list *list)
{
    struct request request = state->requests[i];
    const uint8_t place = newest(&request)->place;
    const bool has_left = request.out && place != HELD;
    const bool has_resent = request.sendings[1].place != NOWHERE;
    const bool has_slot = !has(course, SLOT_FOR_A_RESEND) || rule_admits(course, state);

    add(list, request.out && place == HELD, LEAVE, i, 0);
    for (int j = 0; j < SENDINGS; j++) {
        add(list, request.sendings[j].place == FLYING, ARRIVE, i, j);
        add(list, request.sendings[j].place == FLYING, LOSE, i, j);
    }
    add(list, has_left && place == ARRIVED, ANSWER, i, 0);
    add(list, has_left, GIVE_UP, i, 0);
    add(list, course->resends && has_left && !has_resent && has_slot, RESEND, i, 0);
    add(list, request.out && (place == HELD || !has(course, UNSENT_ONLY_IF_NOTHING_LEFT)), UNSENT, i, 0);
}

int rule_moves(const struct course *course, const struct state *state, struct move *moves)
{
    struct list list = {moves, 0};
    const bool has_room = state->count < REQUESTS && state->begun < course->requests;

    add(&list, has_room && rule_admits(course, state), TAKE, state->count, 0);
    for (int i = 0; i < state->count; i++)
        add_of_request(course, state, i, &list);
    add(&list, true, TICK, 0, 0);
    return list.count;
}

/* ---- The same in another order ---------------------------------------------------------------------------------- */

static bool is_over(const struct request *request)
{
    bool over = !request->out;

    for (int i = 0; i < SENDINGS; i++)
        over = over && request->sendings[i].place != FLYING && request->sendings[i].slot == 0;
    return over;
}

/* Of what has ended only two things matter: whether it can still arrive, and its slot. */
static void forget_places(struct request *request)
{
    for (int i = 0; i < SENDINGS && !request->out; i++) {
        if (request->sendings[i].place != FLYING)
            request->sendings[i].place = NOWHERE;
    }
}

void rule_drop(struct state *state, uint8_t *labels)
{
    int kept = 0;

    for (int i = 0; i < state->count; i++) {
        if (is_over(state->requests + i))
            continue;
        forget_places(state->requests + i);
        state->requests[kept] = state->requests[i];
        if (labels)
            labels[kept] = labels[i];
        kept++;
    }
    memset(state->requests + kept, 0, (size_t)(REQUESTS - kept) * sizeof *state->requests);
    state->count = (uint8_t)kept;
}

static void swap(struct state *state, uint8_t *labels, int i, int j)
{
    const struct request request = state->requests[i];

    state->requests[i] = state->requests[j];
    state->requests[j] = request;
    if (labels) {
        const uint8_t label = labels[i];

        labels[i] = labels[j];
        labels[j] = label;
    }
}

void rule_sort(struct state *state, uint8_t *labels)
{
    for (int i = 1; i < state->count; i++) {
        for (int j = i; j > 0; j--) {
            if (memcmp(state->requests + j - 1, state->requests + j, sizeof *state->requests) <= 0)
                break;
            swap(state, labels, j - 1, j);
        }
    }
}

void rule_print(struct move move, char label)
{
    static const char *const names[] = {"may be sent", "leaves",      "arrives",      "is lost",
                                        "is answered", "is given up", "leaves again", "ends as unsent"};

    if (move.event == TICK)
        printf(" | tick |");
    else
        printf(" %c%s %s,", label, move.sending ? "'s resend" : "", names[move.event]);
}
