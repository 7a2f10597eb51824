/*
 * Takes the rule of the rate ledger (rule.h) through all orders of what a hostile network can do: ledger-search [long].
 * With all conditions the states that can be reached are finite though any number of requests may be sent, and all of
 * them are visited: no window of length W holds more than N arrivals. With each condition left out it finds one that
 * does, and prints a shortest way there.
 */
#include "ledger/rule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct node {
    struct state state;
    uint32_t parent;
    struct move move;
};

/* States in the order in which they were found, and a table of their numbers and one. */
static struct {
    struct node *nodes;
    uint32_t count, room;
    uint32_t *table;
    uint32_t mask;
    uint64_t moves;
} search;

static void *resize(void *block, size_t count, size_t size)
{
    void *larger = realloc(block, count * size);

    if (!larger) {
        fprintf(stderr, "out of memory\n");
        exit(2);
    }
    return larger;
}

static uint32_t hash(const struct state *state)
{
    const uint8_t *bytes = (const uint8_t *)state;
    uint64_t sum = 0xcbf29ce484222325;

    for (size_t i = 0; i < sizeof *state; i++)
        sum = (sum ^ bytes[i]) * 0x100000001b3;
    return (uint32_t)(sum ^ sum >> 32);
}

static uint32_t *place_of(const struct state *state)
{
    uint32_t at = hash(state) & search.mask;

    while (search.table[at] && memcmp(&search.nodes[search.table[at] - 1].state, state, sizeof *state) != 0)
        at = (at + 1) & search.mask;
    return search.table + at;
}

static void grow(void)
{
    search.room = search.room ? 2 * search.room : 1024;
    search.nodes = resize(search.nodes, search.room, sizeof *search.nodes);
    search.table = resize(search.table, 4 * (size_t)search.room, sizeof *search.table);
    search.mask = 4 * search.room - 1;
    memset(search.table, 0, 4 * (size_t)search.room * sizeof *search.table);
    for (uint32_t i = 0; i < search.count; i++)
        *place_of(&search.nodes[i].state) = i + 1;
}

static void visit(const struct state *state, uint32_t parent, struct move move)
{
    uint32_t *place;

    if (search.count == search.room)
        grow();
    place = place_of(state);
    if (*place)
        return;
    search.nodes[search.count++] = (struct node){*state, parent, move};
    *place = search.count;
}

/* False: the last node breaks the promise. */
static bool expand(const struct course *course, uint32_t at)
{
    struct move moves[MOVES];
    const int count = rule_moves(course, &search.nodes[at].state, moves);

    for (int i = 0; i < count; i++) {
        struct state state = search.nodes[at].state;

        rule_make(course, &state, moves[i]);
        rule_drop(&state, NULL);
        rule_sort(&state, NULL);
        visit(&state, at, moves[i]);
        search.moves++;
        if (rule_is_broken(course, &state))
            return false;
    }
    return true;
}

static bool holds(const struct course *course)
{
    const struct state empty = {0};

    search.count = 0;
    search.moves = 0;
    if (search.room)
        memset(search.table, 0, 4 * (size_t)search.room * sizeof *search.table);
    visit(&empty, 0, (struct move){0});
    for (uint32_t at = 0; at < search.count; at++) {
        if (!expand(course, at))
            return false;
    }
    return true;
}

/* ---- How it came to that ---------------------------------------------------------------------------------------- */

/* Goes the way once more, with names for the requests. */
static void print_way(const struct course *course, const uint32_t *way, int length)
{
    struct state state = {0};
    uint8_t labels[REQUESTS] = {0};
    char next = 'A';

    for (int i = length - 1; i >= 0; i--) {
        const struct move move = search.nodes[way[i]].move;

        if (move.event == TAKE)
            labels[move.request] = (uint8_t)next++;
        rule_print(move, (char)labels[move.request]);
        rule_make(course, &state, move);
        rule_drop(&state, labels);
        rule_sort(&state, labels);
    }
    printf(" and that is one too many\n");
}

static void print_last(const struct course *course)
{
    uint32_t way[256];
    int length = 0;

    for (uint32_t at = search.count - 1; at && length < 256; at = search.nodes[at].parent)
        way[length++] = at;
    printf("   ");
    print_way(course, way, length);
}

/* ---- The courses ------------------------------------------------------------------------------------------------ */

static void print_course(const struct course *course)
{
    printf("N %d, W %d, grace %d%s%s: ", course->slots, course->window, course->grace,
           course->drift ? ", a fast clock" : "", course->resends ? ", resends" : "");
}

static bool proves(const struct course *course)
{
    const bool is_kept = holds(course);

    print_course(course);
    printf("%u states, %llu moves: %s\n", search.count, (unsigned long long)search.moves, is_kept ? "kept" : "BROKEN");
    if (!is_kept)
        print_last(course);
    fflush(stdout);
    return is_kept;
}

static bool prove_all(bool is_long)
{
    static const struct course courses[] = {
        {1, 3, 2, 0, ENDLESS, false, 0}, {2, 3, 2, 0, ENDLESS, false, 0}, {3, 3, 2, 0, ENDLESS, false, 0},
        {1, 3, 2, 4, ENDLESS, true, 0},  {2, 3, 2, 0, ENDLESS, true, 0},  {2, 3, 2, 4, ENDLESS, true, 0},
        {3, 3, 2, 4, ENDLESS, false, 0}, {3, 2, 1, 0, ENDLESS, true, 0},  {3, 2, 1, 3, ENDLESS, true, 0},
        {3, 3, 2, 0, ENDLESS, true, 0},  {3, 3, 2, 4, ENDLESS, true, 0},  {4, 3, 2, 0, ENDLESS, true, 0},
        {3, 4, 2, 6, ENDLESS, true, 0},  {4, 3, 2, 4, ENDLESS, true, 0},
    };
    const size_t all = sizeof courses / sizeof *courses;
    bool is_kept = true;

    for (size_t i = 0; i < (is_long ? all : all - 5); i++)
        is_kept = proves(courses + i) && is_kept;
    return is_kept;
}

static const struct breach {
    const char *what;
    enum condition without;
    struct course course;
} breaches[] = {
    {"busy from the answer on only", BUSY_FROM_BEFORE_THE_SENDING, {1, 3, 2, 0, 4, false, 0}},
    {"W after the sending", WINDOW_AFTER_THE_ANSWER, {1, 3, 2, 0, 4, false, 0}},
    {"no grace after giving up", GRACE_AFTER_GIVING_UP, {1, 3, 2, 0, 4, false, 0}},
    {"no slot for a resend", SLOT_FOR_A_RESEND, {1, 3, 2, 0, 4, true, 0}},
    {"no grace for what a resend leaves behind", GRACE_AFTER_A_RESEND, {2, 3, 2, 0, 4, true, 0}},
    {"unsent although it left", UNSENT_ONLY_IF_NOTHING_LEFT, {1, 3, 2, 0, 4, false, 0}},
    {"W as it is, with a fast clock", WINDOW_LENGTHENED, {1, 3, 2, 4, 4, false, 0}},
    {"no reset on giving up", GIVING_UP_RESETS, {1, 3, 2, 0, 4, false, 0}},
};

static bool finds(const struct breach *breach, uint8_t slots)
{
    struct course course = breach->course;
    bool is_kept;

    course.slots = slots;
    course.requests = (uint8_t)(course.slots + 2);
    course.without = 1U << breach->without;
    is_kept = holds(&course);
    printf("%s: ", breach->what);
    print_course(&course);
    printf("%u states: %s\n", search.count, is_kept ? "NOT FOUND" : "found");
    if (!is_kept)
        print_last(&course);
    fflush(stdout);
    return !is_kept;
}

static bool find_all(bool is_long)
{
    bool are_found = true;

    for (size_t i = 0; i < sizeof breaches / sizeof *breaches; i++) {
        const int fewest = breaches[i].course.slots, most = is_long ? 3 : fewest;

        for (int slots = fewest; slots <= most; slots++)
            are_found = finds(breaches + i, (uint8_t)slots) && are_found;
    }
    return are_found;
}

int main(int count, char **arguments)
{
    const bool is_long = count > 1 && strcmp(arguments[1], "long") == 0;
    const bool is_kept = prove_all(is_long);
    const bool are_found = find_all(is_long);

    free(search.nodes);
    free(search.table);
    return is_kept && are_found ? 0 : 1;
}
