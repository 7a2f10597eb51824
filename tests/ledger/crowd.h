/* Who wants to send: the requests of a scene, from asking to leaving. traffic.c says what becomes of them. */
#ifndef LEDGER_CROWD_H
#define LEDGER_CROWD_H

#include "ledger/agenda.h"
#include "ledger/clock.h"
#include "ledger/door.h"
#include "ledger/traffic.h"

enum { REQUESTS = 16384, SENDINGS = 2, SLEEPER = OWNERS - 1 };

#define EXCHANGE_US INT64_C(30000000)

enum kind { LOOK, ASK, ARRIVE, ANSWER, DIE_ON_THE_WAY, NOTHING_LEFT, TIME_OUT, DEATH };

struct sending {
    int64_t taken_us;    /* its slot */
    int64_t given_up_us; /* INT64_MAX: it is not. What arrives later than the grace after it is not counted */
};

struct request {
    bool used, waiting, out;
    uint32_t ticket, stream, ahead;
    uint32_t events; /* that still name it */
    int64_t asked_us, deadline_us;
    struct sending sendings[SENDINGS];
    uint32_t sent;
};

extern struct crowd {
    const struct scene *scene;
    struct figures *figures;
    struct nx_ledger *ledger;
    struct timepiece clock; /* the clients' */
    struct dice dice;
    struct agenda agenda;
    struct door doors[GATES];
    int ids[GATES];
    struct request requests[REQUESTS];
    uint32_t unused[REQUESTS], unused_count;
    uint32_t waiting[STREAMS], cold[STREAMS], lanes[2];
    int64_t asks_us[STREAMS];  /* when a stream tries again; 0: at once */
    int64_t paces_us[STREAMS]; /* when its next ones come */
    int looks[OWNERS];         /* in a row, for nothing */
    int64_t looks_us[OWNERS];  /* when an owner will look */
    int64_t busy_us[GATES], from_us, end_us, now_us;
} crowd;

void crowd_fail(const char *fault);
int64_t crowd_clock(void); /* the clients' */
const struct stream *crowd_stream_of(const struct request *request);

/* Something will happen to the request, or to one of its sendings. */
void crowd_expect(int64_t time_us, enum kind kind, struct request *request, uint32_t part);

void crowd_send(struct request *request);
void crowd_set_waiting(struct request *request, bool waiting);
void crowd_judge_wait(const struct request *request);
void crowd_release_if_over(struct request *request);

/* The last owner is awake for a fifth of the time, if it sleeps at all. */
bool crowd_is_asleep(uint32_t owner);

/*
 * What a process does after anything happened to it: takes its turns, asks for more, and wakes those that have offers.
 * In between it looks when it is due, as it was told when it looked last, and at no other time.
 */
void crowd_act(uint32_t owner);

/* It will look at that time, and at no other; INT64_MAX: it will not. Who sleeps will when it wakes up. */
void crowd_plan(uint32_t owner, int64_t look_us);

#endif
