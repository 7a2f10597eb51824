/*
 * The ledger itself in lock-step with the rule (rule.h), through all orders of what can happen to a few requests:
 * ledger-lockstep [long]. It must admit a request exactly when the rule does; and when tickets wait, offers pass
 * between owners, processes die and the ledger is repaired, never when the rule does not. A ledger is one block of
 * memory without pointers: to go back is to copy it.
 */
#include "core/ledger.h"
#include "ledger/rule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS = 160, WAITERS = 2, OWNERS = 2, TICKETS = 12, OFFERS = 8, PAGE = 256 };

/* A tick is 30.1 s, so that the window is just below 3 of them and the grace below 2, lengthened or not. With a fast
 * clock it is 30 s, so that a lengthened window takes one tick more, as in the rule. */
#define WINDOW_US INT64_C(90000000)
#define TICK_US   INT64_C(30100000)
#define FAST_US   INT64_C(30000000)
#define BEGIN_US  INT64_C(1000000000000)

/* What else can happen, to the ledger alone. The request of such a move is a waiter or an owner. */
enum { ASK = TICK + 1, NEXT, CANCEL, BURY, REPAIR };

struct lockstep {
    struct course course;
    uint8_t ticks; /* at most */
    bool waits;    /* else who is not admitted goes away */
    bool dies, repairs;
};

/* Without padding: points are compared by their bytes. */
struct waiter {
    uint32_t used, owner, ticket;
};

/* Both sides at one point. */
struct point {
    struct state state;
    uint8_t numbers[REQUESTS]; /* of the requests */
    uint8_t owners[REQUESTS];  /* by number */
    uint32_t tickets[REQUESTS];
    struct waiter waiters[WAITERS];
    uint8_t ticks, asked;
    uint8_t resent; /* then the ledger may be stricter than the rule */
    int64_t now_us;
};

static struct {
    const struct lockstep *what;
    int gate;
    size_t size;
    struct point points[STEPS];
    char *blocks; /* the ledger at each of them */
    char *fresh;  /* as it began */
    struct move moves[STEPS];
    int depth;
    uint64_t *seen;
    size_t room, count;
    uint64_t made;
    const char *fault;
} run;

static struct point *here(void)
{
    return run.points + run.depth;
}

static struct nx_ledger *ledger(void)
{
    return (struct nx_ledger *)(void *)(run.blocks + (size_t)run.depth * run.size);
}

static void fail(const char *fault)
{
    if (!run.fault)
        run.fault = fault;
}

/* ---- Places where it was before --------------------------------------------------------------------------------- */

static uint64_t hash(uint64_t sum, const void *block, size_t size)
{
    const char *bytes = block;
    uint64_t word;

    for (size_t i = 0; i + sizeof word <= size; i += sizeof word) {
        memcpy(&word, bytes + i, sizeof word);
        sum = (sum ^ word) * 0x9e3779b97f4a7c15;
        sum ^= sum >> 29;
    }
    for (size_t i = size - size % sizeof word; i < size; i++)
        sum = (sum ^ (uint8_t)bytes[i]) * 0x100000001b3;
    return sum ? sum : 1;
}

static uint64_t *place_of(uint64_t sum)
{
    size_t at = sum & (run.room - 1);

    while (run.seen[at] && run.seen[at] != sum)
        at = (at + 1) & (run.room - 1);
    return run.seen + at;
}

static void grow(void)
{
    uint64_t *old = run.seen;
    const size_t room = run.room;

    run.room = room ? 2 * room : 1024;
    run.seen = calloc(run.room, sizeof *run.seen);
    if (!run.seen)
        exit(2);
    for (size_t i = 0; i < room; i++) {
        if (old[i])
            *place_of(old[i]) = old[i];
    }
    free(old);
}

/* Of what has changed since the beginning: most of a ledger never does. */
static uint64_t hash_ledger(uint64_t sum)
{
    const char *now = (const char *)ledger();

    for (size_t at = 0; at < run.size; at += PAGE) {
        const size_t size = run.size - at < PAGE ? run.size - at : PAGE;

        if (memcmp(now + at, run.fresh + at, size) != 0)
            sum = hash(sum + at, now + at, size);
    }
    return sum;
}

static bool is_new(void)
{
    const uint64_t sum = hash_ledger(hash(1, here(), sizeof *here()));
    uint64_t *place;

    if (2 * run.count >= run.room)
        grow();
    place = place_of(sum);
    if (*place)
        return false;
    *place = sum;
    run.count++;
    return true;
}

/* ---- The ledger's side ------------------------------------------------------------------------------------------ */

static bool rule_allows(void)
{
    return rule_admits(&run.what->course, &here()->state);
}

/* A ticket is out: the rule takes a slot as well. */
static void let_out(uint32_t ticket, uint8_t owner)
{
    const struct move take = {TAKE, here()->state.count, 0};
    struct point *point = here();
    const uint8_t number = point->state.begun;

    if (!rule_allows())
        fail("the ledger admits what the rule does not");
    point->numbers[point->state.count] = number;
    point->tickets[number] = ticket;
    point->owners[number] = owner;
    rule_make(&run.what->course, &point->state, take);
}

static bool has_waiters(void)
{
    for (int i = 0; i < WAITERS; i++) {
        if (here()->waiters[i].used)
            return true;
    }
    return false;
}

static void wait_for_turn(uint32_t ticket, uint8_t owner)
{
    for (int i = 0; i < WAITERS; i++) {
        struct waiter *waiter = here()->waiters + i;

        if (!run.what->waits || waiter->used)
            continue;
        *waiter = (struct waiter){true, owner, ticket};
        return;
    }
    nx_ledger_cancel(ledger(), ticket, here()->now_us);
}

/* Every other one does without a time if it can. */
static void ask(uint8_t owner)
{
    const struct nx_want want = {
        .gates = {run.gate}, .count = 1, .lane = owner, .owner = owner, .deadline_us = INT64_MAX};
    const bool somebody_waits = has_waiters();
    uint32_t ticket = 0;
    int64_t at_us = 0;
    const bool goes = here()->asked % 2 && nx_ledger_go(ledger(), &want, &ticket);
    const enum nx_turn turn = goes ? NX_TURN_NOW : nx_ledger_ask(ledger(), &want, here()->now_us, &ticket, &at_us);

    here()->asked++;
    if (turn == NX_TURN_NEVER)
        fail("there is no room");
    else if (turn == NX_TURN_NOW)
        let_out(ticket, owner);
    else if (!somebody_waits && !here()->resent && rule_allows())
        fail("the rule admits what the ledger does not");
    else
        wait_for_turn(ticket, owner);
}

static bool next(uint8_t owner)
{
    uint32_t ticket = 0;
    uint64_t context = 0;
    bool late = false;

    if (!nx_ledger_next(ledger(), owner, here()->now_us, &ticket, &context, &late))
        return false;
    if (late)
        fail("too late for no deadline");
    for (int i = 0; i < WAITERS; i++) {
        struct waiter *waiter = here()->waiters + i;

        if (!waiter->used || waiter->ticket != ticket)
            continue;
        if (waiter->owner != owner)
            fail("a turn comes to another owner");
        *waiter = (struct waiter){0};
        let_out(ticket, owner);
        return true;
    }
    fail("a turn comes for what does not wait");
    return true;
}

static void end(uint8_t request, enum nx_end how)
{
    const struct nx_outcome outcome = {.end = how, .word = how == NX_END_ANSWERED ? NX_WORD_FINE : NX_WORD_NONE};

    nx_ledger_end(ledger(), here()->tickets[here()->numbers[request]], &outcome, here()->now_us);
}

static void again(uint8_t request)
{
    const bool is_free = rule_allows();
    const bool is_taken = nx_ledger_again(ledger(), here()->tickets[here()->numbers[request]], here()->now_us);

    if (is_taken && !is_free)
        fail("the ledger lets one leave again that the rule does not");
    if (!is_taken && is_free && !has_waiters() && !here()->resent)
        fail("the rule lets one leave again that the ledger does not");
    here()->resent |= is_taken;
    if (!is_taken)
        end(request, NX_END_GIVEN_UP);
    rule_make(&run.what->course, &here()->state, (struct move){is_taken ? RESEND : GIVE_UP, request, 0});
}

static void bury(uint8_t owner)
{
    nx_ledger_bury(ledger(), owner, here()->now_us);
    for (uint8_t i = 0; i < here()->state.count; i++) {
        if (here()->owners[here()->numbers[i]] == owner && here()->state.requests[i].out)
            rule_make(&run.what->course, &here()->state, (struct move){GIVE_UP, i, 0});
    }
    for (int i = 0; i < WAITERS; i++) {
        if (here()->waiters[i].owner == owner)
            here()->waiters[i] = (struct waiter){0};
    }
}

static void go_on(void)
{
    const struct course *course = &run.what->course;
    const int64_t tick_us = course->drift ? FAST_US : TICK_US;

    rule_make(course, &here()->state, (struct move){TICK, 0, 0});
    here()->ticks++;
    here()->now_us += tick_us * (course->drift && here()->state.phase == 0 ? 2 : 1);
}

/* ---- The search ------------------------------------------------------------------------------------------------- */

static void make(struct move move)
{
    const uint8_t which = move.request;

    switch (move.event) {
    case ASK:
        ask(which);
        return;
    case NEXT:
        next(which);
        return;
    case CANCEL:
        nx_ledger_cancel(ledger(), here()->waiters[which].ticket, here()->now_us);
        here()->waiters[which] = (struct waiter){0};
        return;
    case BURY:
        bury(which);
        return;
    case REPAIR:
        nx_ledger_repair(ledger(), here()->now_us);
        return;
    case RESEND:
        again(which);
        return;
    case TICK:
        go_on();
        return;
    case ANSWER:
        end(which, NX_END_ANSWERED);
        break;
    case GIVE_UP:
        end(which, NX_END_GIVEN_UP);
        break;
    case UNSENT:
        end(which, NX_END_UNSENT);
        break;
    default:
        break;
    }
    rule_make(&run.what->course, &here()->state, move);
}

static int list_moves(struct move *moves)
{
    const struct lockstep *what = run.what;
    const int owners = what->waits ? OWNERS : 1;
    struct move of_rule[MOVES];
    struct course tries = what->course;
    int count = 0, known;

    tries.without |= 1U << SLOT_FOR_A_RESEND; /* whether there is a slot is asked of the ledger */
    known = rule_moves(&tries, &here()->state, of_rule);
    for (uint8_t i = 0; i < owners && here()->asked < what->course.requests; i++)
        moves[count++] = (struct move){ASK, i, 0};
    for (int i = 0; i < known; i++) {
        if (of_rule[i].event != TAKE && (of_rule[i].event != TICK || here()->ticks < what->ticks))
            moves[count++] = of_rule[i];
    }
    for (uint8_t i = 0; i < OWNERS && has_waiters(); i++)
        moves[count++] = (struct move){NEXT, i, 0};
    for (int i = 0; i < WAITERS; i++) {
        if (here()->waiters[i].used)
            moves[count++] = (struct move){CANCEL, (uint8_t)i, 0};
    }
    for (uint8_t i = 0; i < OWNERS && what->dies; i++)
        moves[count++] = (struct move){BURY, i, 0};
    if (what->repairs)
        moves[count++] = (struct move){REPAIR, 0, 0};
    return count;
}

static void step_down(void)
{
    run.points[run.depth + 1] = *here();
    memcpy(run.blocks + (size_t)(run.depth + 1) * run.size, ledger(), run.size);
    run.depth++;
}

/* While a slot is free and somebody waits, the offers reach somebody who looks. On a copy. */
static void judge_offers(void)
{
    const uint8_t before = here()->state.begun;

    if (!has_waiters() || here()->resent || !rule_allows())
        return;
    step_down();
    for (int i = 0; i < OFFERS && here()->state.begun == before; i++) {
        for (int owner = 0; owner < OWNERS; owner++)
            next((uint8_t)owner);
        here()->now_us += NX_LEDGER_OFFER_US / 2;
    }
    if (here()->state.begun == before)
        fail("a slot is free, somebody waits, and no turn comes");
    if (!run.fault)
        run.depth--;
}

/* Stays where the fault is, so that the way there can be told. */
static void explore(void)
{
    struct move moves[MOVES];
    const int count = list_moves(moves);

    judge_offers();
    for (int i = 0; i < count && !run.fault; i++) {
        if (run.depth + 2 >= STEPS) {
            fail("the way is too long");
            return;
        }
        run.moves[run.depth] = moves[i];
        step_down();
        make(moves[i]);
        rule_drop(&here()->state, here()->numbers);
        memset(here()->numbers + here()->state.count, 0, REQUESTS - (size_t)here()->state.count);
        run.made++;
        if (rule_is_broken(&run.what->course, &here()->state))
            fail("a window holds more than N");
        if (!run.fault && is_new())
            explore();
        if (!run.fault)
            run.depth--;
    }
}

/* ---- The courses ------------------------------------------------------------------------------------------------ */

static void print_way(void)
{
    static const char *const names[] = {"asks", "looks", "goes away", "dies"};

    printf("    ");
    for (int i = 0; i < run.depth; i++) {
        const struct move move = run.moves[i];

        if (move.event == REPAIR)
            printf(" repair,");
        else if (move.event == CANCEL)
            printf(" waiter %d %s,", move.request, names[CANCEL - ASK]);
        else if (move.event > TICK)
            printf(" owner %d %s,", move.request, names[move.event - ASK]);
        else
            rule_print(move, (char)('A' + run.points[i].numbers[move.request]));
    }
    printf(" and then: %s\n", run.fault);
}

static void begin(const struct lockstep *what)
{
    memset(run.points, 0, sizeof run.points);
    run.what = what;
    run.size = nx_ledger_size(TICKETS, what->course.slots);
    run.size += -run.size % sizeof(int64_t);
    run.blocks = calloc(STEPS, run.size);
    if (!run.blocks)
        exit(2);
    run.depth = 0;
    run.room = run.count = 0;
    run.made = 0;
    run.points->now_us = BEGIN_US;
    nx_ledger_init(run.blocks, TICKETS, what->course.slots);
    run.gate = nx_ledger_gate(ledger(), 1, what->course.slots, WINDOW_US, 0, 0);
    run.fresh = calloc(1, run.size);
    if (!run.fresh)
        exit(2);
    memcpy(run.fresh, run.blocks, run.size);
}

static bool keeps_step(const struct lockstep *what)
{
    const struct course *course = &what->course;

    begin(what);
    explore();
    printf("N %d, %d requests%s%s%s%s%s: %zu states, %llu moves: %s\n", course->slots, course->requests,
           course->drift ? ", a fast clock" : "", course->resends ? ", resends" : "", what->waits ? ", two wait" : "",
           what->dies ? ", deaths" : "", what->repairs ? ", repairs" : "", run.count, (unsigned long long)run.made,
           run.fault ? "AMISS" : "in step");
    if (run.fault)
        print_way();
    fflush(stdout);
    free(run.blocks);
    free(run.fresh);
    free(run.seen);
    run.seen = NULL;
    return !run.fault;
}

int main(int count, char **arguments)
{
    static const struct lockstep runs[] = {
        {{1, 3, 2, 0, 3, false, 0}, 12, false, false, false}, {{2, 3, 2, 0, 3, true, 0}, 5, false, false, false},
        {{1, 3, 2, 4, 3, false, 0}, 9, false, false, false},  {{1, 3, 2, 0, 3, false, 0}, 3, true, false, false},
        {{1, 3, 2, 0, 2, false, 0}, 7, true, true, true},     {{2, 3, 2, 0, 3, true, 0}, 8, false, false, false},
        {{2, 3, 2, 4, 3, true, 0}, 8, false, false, false},   {{1, 3, 2, 0, 3, false, 0}, 7, true, false, false},
        {{2, 3, 2, 0, 3, false, 0}, 6, true, false, false},   {{3, 3, 2, 0, 4, false, 0}, 4, false, false, false},
        {{2, 3, 2, 0, 3, true, 0}, 3, true, true, true},
    };
    const bool is_long = count > 1 && strcmp(arguments[1], "long") == 0;
    const size_t all = sizeof runs / sizeof *runs;
    bool is_kept = true;

    for (size_t i = 0; i < (is_long ? all : 5) && is_kept; i++)
        is_kept = keeps_step(runs + i);
    return is_kept ? 0 : 1;
}
