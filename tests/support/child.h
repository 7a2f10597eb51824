/* Children that a test forks. A child tells by its exit how it fared; it does not use cmocka. */
#ifndef NX_TEST_CHILD_H
#define NX_TEST_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

/* A child that is under way, and two ways to meet it. */
struct child {
    pid_t pid;
    int from; /* what the child writes with child_say() */
    int to;   /* what child_await() waits for: a byte, or the end */
};

/* In the child only. */

/* What is written at the end of a process otherwise is written, if it is a measure of coverage: nothing else is done.
 */
void child_exit(int status);
void child_say(const struct child *me);
void child_await(const struct child *me);

/* What runs in a child: true when all was as expected. A child that takes longer than a minute is killed. */
typedef bool (*child_work)(const struct child *me, void *context);

/* Waits until this thread is the only one that is awake. AddressSanitizer's allocator stays locked for ever in a child
 * that was forked while another thread was in it, and threads are in it when they begin. */
void child_await_quiet(void);

void child_start(struct child *child, child_work work, void *context);

/* In the parent: waits until the child said something; lets it go on. */
void child_listen(const struct child *child);
void child_let_go(struct child *child);

/* The signal that ended it; 0: it fared well; -1: it did not. */
int child_end(struct child *child);
void child_kill(struct child *child);

/* Start and end. */
int child_run(child_work work, void *context);

/* Where leaks are looked for: whether none is to be found by now. */
bool child_leaks_nothing(void);

#endif
