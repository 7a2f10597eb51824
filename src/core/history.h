/*
 * What one endpoint has answered so far, to tell a ban from a refusal. A vendor that bans an address says so with a
 * bare page or by closing connections, where it used to answer its API; one stranger's wrong password must not look
 * like that.
 */
#ifndef NX_HISTORY_H
#define NX_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What an exchange showed. */
enum nx_sign {
    NX_SIGN_TOKEN,    /* a token, or the redirect with a code */
    NX_SIGN_ANSWER,   /* any other answer of the API */
    NX_SIGN_BARE,     /* 401, 403 or 404 with nothing in it */
    NX_SIGN_HTML,     /* 401 or 404 with HTML */
    NX_SIGN_HTML_403, /* 403 with HTML */
    NX_SIGN_CLOSED,   /* a fresh TLS connection closed after a whole request had left */
    NX_SIGN_NOTHING   /* any other loss: says nothing of a ban */
};

enum nx_ban {
    NX_BAN_NONE,
    NX_BAN_FIRST, /* 403 with HTML in the very first answer: 60 s */
    NX_BAN_TOLD   /* by refusals or closed connections */
};

enum { NX_BAN_FIRST_MS = 60000, NX_BAN_REFUSALS = 3, NX_BAN_CLOSED = 3 };

struct nx_history {
    bool answered;
    int closed;           /* in a row */
    size_t refused_count; /* in a row, of different identities */
    uint64_t refused[NX_BAN_REFUSALS];
    uint64_t *served; /* the identities that got a token: an open-addressing set, 0 is an empty place */
    size_t served_count, served_places;
};

/* Notes an exchange of `identity` (a hash) and says whether it shows a ban. Without memory it forgets who was served.
 */
enum nx_ban nx_history_note(struct nx_history *history, uint64_t identity, enum nx_sign sign);

/* A zeroed history is empty. */
void nx_history_release(struct nx_history *history);

#endif
