/*
 * The rule of the rate ledger, and a hostile network around it, as a model of its own: it shares no code with
 * src/core/ledger.c. Time goes by in ticks of the server's clock; between two of them anything may happen in any order.
 *
 *     A slot is busy from the moment that a request may be sent until W after its answer's final status line was read;
 *     or, if it was given up, until W + grace after that. A request may be sent only into a free slot.
 *
 * What each sentence is made of is a condition that can be left out.
 */
#ifndef LEDGER_RULE_H
#define LEDGER_RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum condition {
    BUSY_FROM_BEFORE_THE_SENDING, /* else from the answer on */
    WINDOW_AFTER_THE_ANSWER,      /* else after the sending */
    GRACE_AFTER_GIVING_UP,        /* else W alone */
    SLOT_FOR_A_RESEND,            /* else it leaves in the slot of the first sending */
    GRACE_AFTER_A_RESEND,         /* what it leaves behind counts as given up; else it is free with the answer's slot */
    UNSENT_ONLY_IF_NOTHING_LEFT,  /* else also what is under way */
    WINDOW_LENGTHENED,            /* else the client's clock may run fast */
    GIVING_UP_RESETS,             /* else what was given up may be counted at any time */
    CONDITIONS
};

enum { REQUESTS = 6, SENDINGS = 2, LONGEST_WINDOW = 4, ENDLESS = 255, BUSY = 255 };

/* What is searched. */
struct course {
    uint8_t slots, window, grace;
    uint8_t drift;    /* the client's clock gains a tick in so many; 0: none */
    uint8_t requests; /* no more than so many; ENDLESS: any number */
    bool resends;
    unsigned without; /* a bit for each condition that is left out */
};

enum place { NOWHERE, HELD, FLYING, ARRIVED, LOST };

struct sending {
    uint8_t place;
    uint8_t fuse; /* flying: it arrives within so many ticks, or never. ENDLESS: at any time */
    uint8_t slot; /* BUSY, or so many ticks of the client's clock until it is free; 0: it has none */
};

struct request {
    uint8_t out; /* not yet ended */
    struct sending sendings[SENDINGS];
};

/* Bytes only, so that states can be compared as such. */
struct state {
    uint8_t begun; /* stays 0 if any number may begin */
    uint8_t phase; /* of the client's clock against the server's */
    uint8_t count;
    uint8_t arrivals[LONGEST_WINDOW]; /* so many ticks ago */
    struct request requests[REQUESTS];
};

enum event { TAKE, LEAVE, ARRIVE, LOSE, ANSWER, GIVE_UP, RESEND, UNSENT, TICK };

struct move {
    uint8_t event, request, sending;
};

enum { MOVES = 64 };

/* All that can happen next; how many it is. */
int rule_moves(const struct course *course, const struct state *state, struct move *moves);

/* Requests keep their places in the state, but those that are over. */
void rule_make(const struct course *course, struct state *state, struct move move);

bool rule_admits(const struct course *course, const struct state *state);

/* A window of length W holds more arrivals than there are slots. */
bool rule_is_broken(const struct course *course, const struct state *state);

/* Removes what is over; sorts the rest, for which the order means nothing. labels go with the requests; or NULL. */
void rule_drop(struct state *state, uint8_t *labels);
void rule_sort(struct state *state, uint8_t *labels);

void rule_print(struct move move, char label);

#endif
