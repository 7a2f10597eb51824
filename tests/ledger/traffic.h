/*
 * Clients of a ledger and the services behind it, in virtual time: processes that always have requests waiting,
 * networks that do their worst, and a door for each gate that counts.
 *
 * Three clocks: the time of the simulation, which is the network's; the clients', fast by client_ppm and read in steps
 * of tick_us; the servers', fast by server_ppm.
 */
#ifndef LEDGER_TRAFFIC_H
#define LEDGER_TRAFFIC_H

#include "ledger/network.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { GATES = 3, STREAMS = 6, OWNERS = 4 };

/* Requests of one kind: as soon as fewer than `backlog` wait, another asks; or, with a pace, twice as many at most ask
 * every so often, whoever waits. */
struct stream {
    uint32_t gates; /* a bit for each */
    uint32_t lane, owner;
    uint32_t backlog;
    uint32_t cold;       /* so many more at the start, once */
    int64_t patience_us; /* their deadlines are up to so far away; 0: they have none */
    int64_t pace_us;
};

struct scene {
    const char *name;
    struct {
        uint32_t allowed;
        int64_t window_us;
    } gates[GATES];
    struct stream streams[STREAMS];
    struct network network;
    int client_ppm, server_ppm;
    int64_t tick_us;
    int64_t sleep_us; /* the last owner sleeps for four fifths of that, again and again, and has no bound */
    int64_t death_us; /* a process dies about so often, what it had out is counted later */
    int refused;      /* of 10,000 answers */
    uint32_t busy;    /* gates whose slots are idle at most 1 % of the time: a bit for each */
    bool shared;      /* API calls get one in four; all need the same gates */
};

/* Of one gate. */
struct gate_figures {
    uint64_t arrivals, over;
    uint32_t most;
    double idle; /* the part of its slots' time, from the end of the first round on */
};

struct figures {
    struct gate_figures gates[GATES];
    uint64_t granted, resent, again_refused, given_up, unsent, never, late, deaths;
    uint64_t contested[2];   /* grants while both lanes waited, by lane */
    uint64_t asleep_granted; /* to the one that sleeps */
    int64_t longest_wait_us; /* of all waiters, those that still wait at the end too */
    double longest_round_us; /* of all waits: the wait by the rounds that it may take */
    int64_t longest_busy_us; /* of a slot: what a round may take */
    const char *fault;       /* NULL: none */
};

void traffic_run(const struct scene *scene, uint64_t seed, int64_t span_us, struct figures *figures);

#endif
