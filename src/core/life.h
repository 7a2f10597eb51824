/*
 * How long a token is good, and when it is renewed. Two windows lie before its end: in the early one, one caller
 * renews it while the others get the good token at once; in the late one, all callers wait for a new token.
 *
 *     begins      early_ms before the end     late_ms     expires_ms
 *        |------ FRESH ------|------- EARLY ------|--- LATE ---|--- OVER
 *
 * After an attempt that brought nothing new the token is held: it is served as if it were fresh, and not asked for
 * again before a time that shrinks with what remains of it. All times are of the boot clock, and not negative.
 */
#ifndef NX_LIFE_H
#define NX_LIFE_H

#include <stdbool.h>
#include <stdint.h>

enum {
    NX_LIFE_LATE_MS = 60000,    /* the late window at its longest; else a tenth of the lifetime */
    NX_LIFE_EARLY_MS = 3600000, /* the early window at its longest; else a quarter of the lifetime; before the draw */
    NX_LIFE_HOLD_MS = 300000,   /* the hold after a failure at its longest, before the draw */
    NX_LIFE_LEAST_HOLD_MS = 30000, /* the same at its shortest; else a quarter of what remains */
    NX_LIFE_SECOND_MS = 1000       /* and never shorter than this: the quarters of a last second are many */
};

enum nx_hold {
    NX_HOLD_NONE,
    NX_HOLD_FAILURE, /* the last attempt failed */
    NX_HOLD_SERVICE  /* the service has no better token than this one */
};

struct nx_life {
    int64_t expires_ms;    /* INT64_MAX: never */
    int64_t lifetime_ms;   /* 0 when it never expires */
    int64_t held_until_ms; /* at most expires_ms */
    uint32_t early_ms;     /* how long before its end the windows begin: late_ms <= early_ms */
    uint32_t late_ms;
    enum nx_hold held_by;
};

enum nx_phase {
    NX_PHASE_FRESH, /* the token is served */
    NX_PHASE_EARLY, /* one caller renews it, the others are served */
    NX_PHASE_LATE,  /* callers wait for a new one; the old is good as yet, should that fail */
    NX_PHASE_OVER,  /* it is no good */
    NX_PHASE_HELD   /* it is good, but for less than the caller needs, and the last attempt to get a new one failed */
};

/* Sets all of `life`. `lifetime_ms`: of the token when it was new. `draw`: of this token's own, so that tokens of one
 * age are not renewed at one time. */
void nx_life_begin(struct nx_life *life, int64_t expires_ms, int64_t lifetime_ms, uint32_t draw);

/*
 * What is to be done with the token now. `validity_ms`: how long the caller needs it to be good, 0 when it does not
 * say. The whole lifetime or more counts as half of it: the service has no longer ones, and a caller who asks for one
 * each time must not cause a request each time.
 */
enum nx_phase nx_life_phase(const struct nx_life *life, int64_t now_ms, int64_t validity_ms);

/* Whether the token may be served although its renewal has failed. `validity_ms` counts as above. */
bool nx_life_serves(const struct nx_life *life, int64_t now_ms, int64_t validity_ms);

/* Until when the phase is FRESH for who asks for no validity; it is not when this time has come. */
int64_t nx_life_next_ms(const struct nx_life *life);

/* A renewal failed while the token was good. `retry_after_ms`: for how long the service is not to be asked; 0: it did
 * not say. */
void nx_life_note_failure(struct nx_life *life, int64_t now_ms, int64_t retry_after_ms, uint32_t draw);

/*
 * The service handed out, in place of a token that expires at `older_expires_ms`, one with the same text or one that
 * expires no later: it has no better one. Of one text the sooner expiry counts, whatever was stated last, unless that
 * has passed. To be called right after nx_life_begin(), for every token that follows upon another.
 */
void nx_life_follow(struct nx_life *life, int64_t older_expires_ms, bool same_text, int64_t now_ms);

#endif
