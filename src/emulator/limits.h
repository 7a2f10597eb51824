#ifndef EMU_LIMITS_H
#define EMU_LIMITS_H

#include "arrivals.h"
#include "bans.h"
#include "service.h"
#include "shapes.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/*
 * The limiters at the vendors' doors: so many requests within any window of time, for each address. What exceeds the
 * limit is refused, with 429 or with a ban of its address, and does not count against the limit. Who came when is
 * recorded whether or not the limit is enforced.
 */

struct emu_limit {
    bool enforced;
    long requests;
    long window_ms;
    const struct emu_ban *ban; /* NULL: what exceeds the limit gets 429, and nothing else happens */
    long ban_ms;
};

struct emu_limits {
    struct emu_limit of[EMU_VENDORS];
    struct emu_client *clients[EMU_VENDORS];
};

/* What the door says to a request. */
struct emu_verdict {
    bool refused;
    const struct emu_ban *ban; /* the face of the ban that refuses it; NULL: 429 */
    long retry_after_s;        /* of a 429 */
};

/* Nothing is enforced. */
void emu_limits_init(struct emu_limits *limits);

/*
 * Changes the limit of one service, or of all but Quantoz's APIs when the description names none, as {"service",
 * "enforced", "requests", "window_ms", "ban", "ban_ms"} say. What is not named stays, but for `enforced`, which is then
 * true. NULL, or a sentence.
 */
const char *emu_limits_tell(struct emu_limits *limits, const cJSON *description);

/* A request came, of which only its path has to be known yet. */
struct emu_verdict emu_limits_admit(struct emu_limits *limits, const struct emu_request *request,
                                    const struct sockaddr *from, int64_t now_us);

/* Words the refusal. False when the connection is to be closed instead. */
bool emu_limits_refuse(const struct emu_limits *limits, const struct emu_shapes *shapes,
                       const struct emu_verdict *verdict, const struct emu_request *request, struct emu_answer *answer);

/*
 * {"nex": {"enforced", "requests", "window_ms", "ban", "ban_ms", "largest_in_window", "refused", "bans", "addresses":
 * [{"address", "largest_in_window", "refused", "bans", "banned_for_ms"}]}, ...}
 */
cJSON *emu_limits_report(const struct emu_limits *limits, int64_t now_us);

/* Forgets who came, who was refused and who is banned; not the limits. */
void emu_limits_forget(struct emu_limits *limits);

#endif
