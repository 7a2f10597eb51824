#include "schedule.h"

#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

enum { THREADS = 8, STACK = 256 * 1024, DECISIONS = 4096, NOTES = 4096, OPTIONS = 2 * THREADS + 1, POINTS = 20000 };
enum { START_MS = 1000000, OVERDUE_MS = 3600000, CRASHED = 64 };

struct thread {
    const char *name;
    void (*body)(void *);
    void *context;
    bool (*ready)(void *); /* NULL: it can go on */
    void *awaited;
    int64_t due_ms;
    bool hollow;
    bool over;
    ucontext_t state;
};

struct note {
    const char *what;
    int number, thread;
};

struct decision {
    short taken, count;
};

static struct {
    const char *name;
    struct bound bound;
    void (*body)(void);
    void (*quiet)(void);
    struct figures figures;

    struct decision decisions[DECISIONS];
    int decided, planned;

    struct thread threads[THREADS];
    int count, current, left; /* left: preemptions */
    int64_t now_ms;
    bool unleashed;
    bool hasty;
    struct note notes[NOTES];
    int noted, points;
    ucontext_t home;
} run;

static _Alignas(64) char stacks[THREADS][STACK];

void schedule_note(const char *what, int number)
{
    if (run.noted < NOTES)
        run.notes[run.noted++] = (struct note){what, number, run.current};
}

_Noreturn void schedule_fail(const char *format, ...)
{
    va_list arguments;

    printf("%s, schedule %llu: ", run.name, (unsigned long long)run.figures.schedules + 1);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf("\n");
    for (int i = 0; i < run.noted; i++)
        printf("  %-8s %s %d\n", run.threads[run.notes[i].thread].name, run.notes[i].what, run.notes[i].number);
    fflush(stdout);
    _exit(1);
}

/* ---- Decisions -------------------------------------------------------------------------------------------------- */

int schedule_choose(int count)
{
    struct decision *decision = &run.decisions[run.decided];

    if (count <= 1)
        return 0;
    if (run.decided == DECISIONS)
        schedule_fail("it does not end");
    if (run.decided == run.planned) {
        *decision = (struct decision){0, (short)count};
        run.planned++;
    }
    if (decision->count != count)
        schedule_fail("the same decisions led elsewhere: the scenario is not deterministic");
    run.decided++;
    return decision->taken;
}

/* False when all have been taken. */
static bool plan_next(void)
{
    while (run.planned && run.decisions[run.planned - 1].taken + 1 == run.decisions[run.planned - 1].count)
        run.planned--;
    if (run.planned)
        run.decisions[run.planned - 1].taken++;
    return run.planned > 0;
}

/* ---- Threads ---------------------------------------------------------------------------------------------------- */

void schedule_unleash(bool unleashed)
{
    run.unleashed = unleashed;
}

int schedule_self(void)
{
    return run.current;
}

int64_t schedule_now_ms(void)
{
    return run.now_ms;
}

bool schedule_was_hasty(void)
{
    return run.hasty;
}

bool schedule_is_alone(void)
{
    for (int i = 0; i < run.count; i++) {
        if (i != run.current && !run.threads[i].over)
            return false;
    }
    return true;
}

bool schedule_sleeps(const void *on_its_stack)
{
    const uintptr_t address = (uintptr_t)on_its_stack;

    for (int i = 0; i < run.count; i++) {
        const uintptr_t stack = (uintptr_t)stacks[i];

        if (address >= stack && address - stack < STACK)
            return run.threads[i].ready && run.threads[i].hollow;
    }
    return false;
}

static bool can_go_on(const struct thread *thread)
{
    return !thread->over && (!thread->ready || thread->due_ms <= run.now_ms || thread->ready(thread->awaited));
}

static int64_t next_due(void)
{
    int64_t next = INT64_MAX;

    for (int i = 0; i < run.count; i++) {
        const struct thread *thread = &run.threads[i];

        if (!thread->over && thread->ready && thread->due_ms > run.now_ms && thread->due_ms < next)
            next = thread->due_ms;
    }
    return next;
}

static void pass_to(int64_t ms)
{
    run.now_ms = ms;
    schedule_note("time passes", (int)(ms - START_MS));
}

/* Nobody can go on: time passes, unless something is amiss. */
static void pass_time(void)
{
    const int64_t next = next_due();

    run.quiet();
    if (next == INT64_MAX || next > START_MS + OVERDUE_MS)
        schedule_fail("threads wait for what never comes");
    pass_to(next);
}

enum { LET_TIME_PASS = -1, HOLLOW = THREADS };

/* What may happen next: a thread goes on; with HOLLOW added, its wait ends without a cause. */
static int list_options(int *options)
{
    const bool may_stay = can_go_on(&run.threads[run.current]);
    const bool rich = run.unleashed && run.left > 0;
    int count = 0;

    if (may_stay)
        options[count++] = run.current;
    for (int i = 1; i < run.count && (rich || !may_stay); i++) {
        const int other = (run.current + i) % run.count;

        if (can_go_on(&run.threads[other]))
            options[count++] = other;
    }
    if (!count || !rich)
        return count;
    for (int i = 0; i < run.count && run.bound.spurious; i++) {
        if (!run.threads[i].over && run.threads[i].ready && run.threads[i].hollow && !can_go_on(&run.threads[i]))
            options[count++] = i + HOLLOW;
    }
    if (run.bound.hasty && next_due() < START_MS + OVERDUE_MS)
        options[count++] = LET_TIME_PASS;
    return count;
}

/* Who goes on; -1 when all are through. */
static int decide(void)
{
    for (;;) {
        int options[OPTIONS];
        const bool may_stay = can_go_on(&run.threads[run.current]);
        const int count = list_options(options);
        const int option = count ? options[schedule_choose(count)] : -1;

        if (!count && schedule_is_alone() && run.threads[run.current].over)
            return -1;
        if (!count) {
            pass_time();
        } else if (option == LET_TIME_PASS) {
            run.left--;
            run.hasty = true;
            pass_to(next_due());
        } else {
            run.left -= option >= HOLLOW || (may_stay && option != run.current);
            return option % HOLLOW;
        }
    }
}

static void switch_from(struct thread *thread)
{
    const int next = decide();

    if (++run.points == POINTS)
        schedule_fail("it does not end");
    if (next >= 0) {
        run.threads[next].ready = NULL;
        run.threads[next].hollow = false;
    }
    if (next == run.current)
        return;
    if (next >= 0)
        run.current = next;
    if (swapcontext(&thread->state, next >= 0 ? &run.threads[next].state : &run.home))
        abort();
}

void schedule_point(const char *what)
{
    schedule_note(what, 0);
    switch_from(&run.threads[run.current]);
}

void schedule_wait(const char *what, bool (*ready)(void *), void *context, int64_t wait_ms, bool hollow)
{
    struct thread *thread = &run.threads[run.current];

    schedule_note(what, wait_ms > OVERDUE_MS ? -1 : (int)wait_ms);
    thread->ready = ready;
    thread->awaited = context;
    thread->hollow = hollow;
    thread->due_ms = wait_ms > INT64_MAX - run.now_ms ? INT64_MAX : run.now_ms + wait_ms;
    switch_from(thread);
}

static void enter(void)
{
    struct thread *thread = &run.threads[run.current];

    thread->body(thread->context);
    thread->over = true;
    schedule_note("is through", 0);
    switch_from(thread);
}

void schedule_spawn(const char *name, void (*body)(void *), void *context)
{
    struct thread *thread = &run.threads[run.count];

    if (run.count == THREADS || getcontext(&thread->state))
        abort();
    thread->name = name;
    thread->body = body;
    thread->context = context;
    thread->ready = NULL;
    thread->hollow = false;
    thread->over = false;
    thread->state.uc_stack.ss_sp = stacks[run.count];
    thread->state.uc_stack.ss_size = STACK;
    thread->state.uc_link = NULL;
    makecontext(&thread->state, enter, 0);
    run.count++;
}

/* ---- The search ------------------------------------------------------------------------------------------------- */

static void begin_body(void *context)
{
    (void)context;
    run.body();
}

static void crash(int number)
{
    schedule_fail("crashed by signal %d", number);
}

/* On a stack of its own: the one at hand may be at its end. */
static void catch_crashes(void)
{
    static char stack[CRASHED * 1024];
    const stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
    const struct sigaction action = {.sa_handler = crash, .sa_flags = SA_ONSTACK};

    sigaltstack(&alternate, NULL);
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
    sigaction(SIGABRT, &action, NULL);
}

static void run_once(void)
{
    run.decided = 0;
    run.count = 0;
    run.current = 0;
    run.left = run.bound.preemptions;
    run.unleashed = false;
    run.now_ms = START_MS;
    run.hasty = false;
    run.noted = 0;
    run.points = 0;
    schedule_spawn("first", begin_body, NULL);
    if (swapcontext(&run.home, &run.threads[0].state))
        abort();
    run.figures.schedules++;
    run.figures.points += (uint64_t)run.points;
    if (run.decided > run.figures.deepest)
        run.figures.deepest = run.decided;
}

struct figures schedule_all(const char *name, const struct bound *bound, void (*body)(void), void (*quiet)(void))
{
    catch_crashes();
    run.name = name;
    run.bound = *bound;
    run.body = body;
    run.quiet = quiet;
    run.figures = (struct figures){0};
    run.planned = 0;
    do
        run_once();
    while (plan_next());
    return run.figures;
}
