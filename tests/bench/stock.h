/* Sources for who measures what a token costs: made and freed off the watch, as one that lives gets its later tokens
 * without. */
#ifndef NX_BENCH_STOCK_H
#define NX_BENCH_STOCK_H

#include "nexauth/nexauth.h"

enum { STOCK_LENT_MOST = 100 };

/* A source of the server's at `origin`; NULL when it could not be made. */
nexauth_source *stock_make(nexauth_session *session, const char *origin);

/* With nothing in stock: what was opened before is closed. */
void stock_open(nexauth_session *session, const char *origin);

/* A source that was never asked; NULL when it could not be made. STOCK_LENT_MOST at a time. */
nexauth_source *stock_take(void);

/* A source that has served. */
void stock_put_away(nexauth_source *source);

/* Frees what is there. */
void stock_close(void);

#endif
