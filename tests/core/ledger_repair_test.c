/*
 * A process may die anywhere while it holds the lock. Here it is stopped after each instruction of each transition; of
 * each state of the memory in which that leaves the ledger a copy is repaired and looked at.
 */
#include "core/ledger_rig.h"

#include "core/ledger_parts.h"
#include "support/test.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

enum { TICKETS = 12, SLOTS = 20, OWNERS = 3, ALLOWED = 5, MOST_STEPS = 200000, NEW_KEY = 50 };

/*
 * A gate with room, one without, and one that counts none. Owner 1 has two tickets out and two waiting; owner 2 one
 * out, two that were given up, and two waiting. All that wait need the gate without room.
 */
struct scene {
    struct nx_ledger *ledger;
    int gates[3];
    uint32_t out[3];
    uint32_t waiting[4];
};

static struct scene make_scene(void *memory)
{
    struct scene scene = {.ledger = nx_ledger_init(memory, TICKETS, SLOTS)};
    struct nx_ledger *ledger = scene.ledger;

    for (size_t i = 0; i < COUNT(scene.gates); i++)
        scene.gates[i] = make_gate(ledger, i, i < 2 ? ALLOWED : 0);
    for (int i = 0; i < 2; i++)
        end_as(ledger, ask_now(ledger, by(2, want(NX_LANE_API, scene.gates[1])), START), NX_END_GIVEN_UP, START);
    for (uint32_t i = 0; i < COUNT(scene.out); i++)
        scene.out[i] = ask_now(ledger, by(1 + i / 2, want_both(NX_LANE_API, scene.gates[1], scene.gates[0])), START);
    for (uint32_t i = 0; i < COUNT(scene.waiting); i++)
        scene.waiting[i] = ask_waits(
            ledger, by(1 + i % 2, want_both(i / 2, scene.gates[i % 2 ? 2 : 0], scene.gates[1])), START);
    return scene;
}

enum transition {
    ASK,
    ASK_WAITING,
    GO,
    OFFER,
    TAKE,
    GRANT,
    EXPIRE,
    CANCEL,
    CANCEL_OFFER,
    AGAIN,
    ANSWERED,
    GIVEN_UP,
    REFUSED,
    BURY,
    GATE,
    WIDEN,
    REUSE_PLACE,
    REUSE_SLOTS,
    TRANSITIONS
};

static const int64_t NOW = START + SECOND;

/* What has to happen before. */
static void prepare(const struct scene *scene, enum transition transition)
{
    const bool offers = transition == TAKE || transition == EXPIRE || transition == CANCEL_OFFER;

    if (offers || transition == OFFER || transition == GRANT)
        end_as(scene->ledger, scene->out[0], NX_END_UNSENT, NOW);
    if (transition == AGAIN)
        end_as(scene->ledger, scene->out[1], NX_END_UNSENT, NOW);
    if (transition == GO)
        make_gate(scene->ledger, NEW_KEY, ALLOWED); /* nobody waits there */
    if (transition == REUSE_PLACE) {
        for (uint64_t key = 100; scene->ledger->gate_count < NX_LEDGER_GATES; key++)
            make_gate(scene->ledger, key, 0);
    }
    if (transition == REUSE_SLOTS)
        make_gate(scene->ledger, 100, SLOTS - 2 * ALLOWED);
    if (offers)
        assert_int_equal(next_of(scene->ledger, 0, NOW), NOBODY);
}

/* Nothing here may fail an assertion: it is another process. */
static void run(const struct scene *scene, enum transition transition)
{
    const struct nx_want call = {.gates = {scene->gates[0]}, .count = 1, .lane = NX_LANE_API, .deadline_us = INT64_MAX};
    const struct nx_want go = {.gates = {nx_ledger_find(scene->ledger, NEW_KEY)}, .count = 1, .lane = NX_LANE_API};
    const struct nx_want full = {.gates = {scene->gates[1]}, .count = 1, .deadline_us = INT64_MAX};
    struct nx_outcome outcome = {.end = NX_END_ANSWERED, .word = NX_WORD_FINE, .held = scene->gates[1]};
    const int64_t later_us = transition == EXPIRE ? NOW + NX_LEDGER_OFFER_US : NOW;
    uint32_t ticket;
    uint64_t context;
    int64_t at_us;
    bool late;

    switch (transition) {
    case ASK:
    case ASK_WAITING:
        nx_ledger_ask(scene->ledger, transition == ASK ? &call : &full, NOW, &ticket, &at_us);
        break;
    case GO:
        nx_ledger_go(scene->ledger, &go, &ticket);
        break;
    case OFFER:
    case TAKE:
    case GRANT:
    case EXPIRE:
        nx_ledger_next(scene->ledger, transition == TAKE || transition == GRANT, later_us, &ticket, &context, &late);
        break;
    case CANCEL:
    case CANCEL_OFFER:
        nx_ledger_cancel(scene->ledger, scene->waiting[transition == CANCEL], NOW);
        break;
    case AGAIN:
        nx_ledger_again(scene->ledger, scene->out[0], NOW);
        break;
    case BURY:
        nx_ledger_bury(scene->ledger, 1, NOW);
        break;
    case GATE:
        nx_ledger_gate(scene->ledger, 2, 3, SECOND, 0, NOW);
        break;
    case WIDEN:
        nx_ledger_gate(scene->ledger, 1, ALLOWED, 2 * SECOND, 0, NOW);
        break;
    case REUSE_PLACE:
    case REUSE_SLOTS:
        nx_ledger_gate(scene->ledger, 99, 3, SECOND, 0, NOW);
        break;
    default:
        outcome.end = transition == GIVEN_UP ? NX_END_GIVEN_UP : NX_END_ANSWERED;
        outcome.word = transition == REFUSED ? NX_WORD_REFUSED : outcome.word;
        nx_ledger_end(scene->ledger, scene->out[0], &outcome, NOW);
    }
}

static uint32_t count_in_state(const struct nx_ledger *ledger, enum nx_ticket_state state)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < ledger->fresh_ticket; i++)
        count += nx_ticket_state(nx_ledger_ticket(ledger, i)) == state;
    return count;
}

/* What is offered did not leave. */
static uint32_t count_busy(const struct nx_ledger *ledger, int gate)
{
    const struct nx_gate_figures figures = figures_of(ledger, gate, NOW);
    const struct nx_gate *parts = &ledger->gates[gate];

    return figures.out + figures.cooling - parts->offered[NX_LANE_TOKEN] - parts->offered[NX_LANE_API];
}

/* All that wait go in the end, each once, and by the order of arrival where gates and lane are the same. */
static void drain(struct nx_ledger *ledger)
{
    int64_t now_us = NOW + 100 * SECOND;
    uint32_t waiting = count_in_state(ledger, NX_TICKET_WAITING);
    uint64_t arrivals[2][OWNERS] = {0};

    for (int i = 0; i < 200 && waiting; i++, now_us += 100 * SECOND) {
        for (uint32_t owner = 0; owner < OWNERS; owner++) {
            const uint32_t ticket = next_of(ledger, owner, now_us);
            const struct nx_ticket *gone = nx_ledger_ticket(ledger, ticket == NOBODY ? 0 : ticket);

            if (ticket == NOBODY)
                continue;
            assert_int_equal(nx_ticket_state(gone), NX_TICKET_OUT);
            assert_true(gone->arrival >= arrivals[gone->lane][owner]);
            arrivals[gone->lane][owner] = gone->arrival;
            end_fine(ledger, ticket, now_us);
            waiting--;
        }
    }
    assert_int_equal(waiting, 0);
    for (uint32_t owner = 0; owner < OWNERS; owner++)
        assert_true(nx_ledger_due(ledger, owner, now_us) == INT64_MAX);
}

static bool counts(const struct nx_gate *gate)
{
    return gate->live && gate->allowed;
}

/* No two gates count by the same slots, each knows how long they are busy, and one that is held is to be probed. */
static void inspect_gates(const struct nx_ledger *ledger)
{
    for (uint32_t i = 0; i < ledger->gate_count; i++) {
        const struct nx_gate *one = &ledger->gates[i];

        if (!counts(one))
            continue;
        assert_true(!nx_gate_held(one, NOW) || one->width == 1);
        assert_true(one->window_us == SECOND || one->window_us == 2 * SECOND);
        assert_true(one->busy_us[NX_RING_ANSWERED] == one->window_us / SECOND * COOLS);
        assert_true(one->busy_us[NX_RING_GIVEN_UP] == one->busy_us[NX_RING_ANSWERED] + NX_LEDGER_GRACE_US);
        assert_in_range(one->first / 2 + one->capacity, one->allowed, SLOTS);
        for (uint32_t j = 0; j < i; j++) {
            const struct nx_gate *other = &ledger->gates[j];

            assert_true(!counts(other) || one->first >= other->first + 2 * other->capacity ||
                        other->first >= one->first + 2 * one->capacity);
        }
    }
}

/* All is as the tickets say, and works. */
static void inspect(struct nx_ledger *ledger, const uint32_t busy[2])
{
    const uint32_t used = TICKETS - count_in_state(ledger, NX_TICKET_FREE) - (TICKETS - ledger->fresh_ticket);
    uint32_t free_tickets = 0;
    uint32_t taken[TICKETS];
    struct nx_gate_figures figures;

    assert_int_equal(count_in_state(ledger, NX_TICKET_OFFERED), 0);
    inspect_gates(ledger);
    for (int gate = 0; gate < 2; gate++) {
        assert_true(count_busy(ledger, gate) >= busy[gate]);
        figures = figures_of(ledger, gate, NOW);
        assert_true(figures.out <= ALLOWED);
    }
    while (free_tickets < TICKETS + 1 && (taken[free_tickets] = nx_ticket_new(ledger)) != NX_LEDGER_NONE)
        free_tickets++;
    assert_int_equal(free_tickets, TICKETS - used);
    while (free_tickets)
        nx_ticket_free(ledger, taken[--free_tickets]);
    for (uint32_t owner = 1; owner < OWNERS; owner++) {
        for (uint32_t i = 0; i < TICKETS; i++) {
            const struct nx_ticket *ticket = nx_ledger_ticket(ledger, i);

            if (nx_ticket_state(ticket) == NX_TICKET_OUT && ticket->owner == owner)
                end_as(ledger, i, NX_END_GIVEN_UP, NOW);
        }
    }
    drain(ledger);
}

/* Stops the child before its next instruction; false: it has ended, and well. */
static bool step(pid_t child)
{
    int status;

    assert_int_equal(ptrace(PTRACE_SINGLESTEP, child, NULL, NULL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFSTOPPED(status))
        return true;
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    return false;
}

static pid_t begin(const struct scene *scene, enum transition transition)
{
    const pid_t child = fork();
    int status;

    assert_true(child >= 0);
    if (child == 0) {
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
            _exit(77);
        raise(SIGSTOP);
        run(scene, transition);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSTOPPED(status) ? child : -1;
}

/* As many slots as are busy both before the transition and after it. */
static void find_busy(const struct scene *scene, enum transition transition, size_t size, uint32_t busy[2])
{
    struct scene done = *scene;
    void *copy = malloc(size);

    assert_non_null(copy);
    memcpy(copy, scene->ledger, size);
    done.ledger = copy;
    run(&done, transition);
    assert_int_equal(nx_ledger_find(done.ledger, 99) >= 0, transition == REUSE_PLACE || transition == REUSE_SLOTS);
    for (int gate = 0; gate < 2; gate++) {
        const uint32_t before = count_busy(scene->ledger, gate);
        const uint32_t after = count_busy(done.ledger, gate);

        busy[gate] = before < after ? before : after;
    }
    free(copy);
}

static void whatever_is_left_half_done_is_repaired(void **state)
{
    const size_t size = (nx_ledger_size(TICKETS, SLOTS) + 7) / 8 * 8;
    char *shared = mmap(NULL, 3 * size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    char *seen = shared + size;
    char *copy = seen + size;

    (void)state;
    assert_ptr_not_equal(shared, MAP_FAILED);
    for (enum transition transition = 0; transition < TRANSITIONS; transition++) {
        struct scene scene;
        uint32_t busy[2];
        int states = 0;
        pid_t child;

        memset(shared, 0, size);
        scene = make_scene(shared);
        prepare(&scene, transition);
        find_busy(&scene, transition, size, busy);
        child = begin(&scene, transition);
        if (child < 0)
            skip();
        memset(seen, 0, size);
        for (int steps = 0; step(child); steps++) {
            if (steps > MOST_STEPS) { /* below a tool that runs every instruction as hundreds of its own */
                kill(child, SIGKILL);
                waitpid(child, NULL, 0);
                skip();
            }
            if (memcmp(shared, seen, size) == 0)
                continue;
            memcpy(seen, shared, size);
            memcpy(copy, shared, size);
            nx_ledger_repair((struct nx_ledger *)(void *)copy, NOW);
            inspect((struct nx_ledger *)(void *)copy, busy);
            states++;
        }
        assert_true(states > 2);
    }
    munmap(shared, 3 * size);
}

static void a_repair_of_what_is_whole_changes_nothing(void **state)
{
    void *memory = calloc(1, nx_ledger_size(TICKETS, SLOTS));
    const struct scene scene = make_scene(memory);
    struct nx_gate_figures before[3], after;

    (void)state;
    for (int i = 0; i < 3; i++)
        before[i] = figures_of(scene.ledger, scene.gates[i], NOW);
    nx_ledger_repair(scene.ledger, NOW);
    for (int i = 0; i < 3; i++) {
        after = figures_of(scene.ledger, scene.gates[i], NOW);
        assert_int_equal(before[i].allowed, after.allowed);
        assert_int_equal(before[i].window_us, after.window_us);
        assert_int_equal(before[i].held_until_us, after.held_until_us);
        assert_int_equal(before[i].out, after.out);
        assert_int_equal(before[i].cooling, after.cooling);
        assert_int_equal(before[i].waiting_tokens, after.waiting_tokens);
        assert_int_equal(before[i].waiting_calls, after.waiting_calls);
        assert_int_equal(before[i].free_at_us, after.free_at_us);
    }
    assert_int_equal(nx_ledger_gate(scene.ledger, 9, SLOTS - 2 * ALLOWED + 1, SECOND, 0, NOW), -1);
    free(memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_is_left_half_done_is_repaired),
        cmocka_unit_test(a_repair_of_what_is_whole_changes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
