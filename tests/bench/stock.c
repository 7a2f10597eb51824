#include "bench/stock.h"

#include "bench/bench.h"

#include <stddef.h>

enum { BATCH = 32 };

static struct {
    nexauth_session *session;
    const char *origin;
    nexauth_source *ready[BATCH];
    size_t ready_count;
    nexauth_source *served[STOCK_LENT_MOST + BATCH];
    size_t served_count;
} stock;

nexauth_source *stock_make(nexauth_session *session, const char *origin)
{
    const struct nexauth_quantoz_options options = {
        .client_id = "a client", .client_secret = "abc123", .origin = origin, .environment = NEXAUTH_QUANTOZ_TEST};
    nexauth_source *source = NULL;

    nexauth_source_new_quantoz(session, &options, &source, NULL);
    return source;
}

void stock_open(nexauth_session *session, const char *origin)
{
    stock.session = session;
    stock.origin = origin;
}

static void free_served(void)
{
    while (stock.served_count > 0)
        nexauth_source_free(stock.served[--stock.served_count]);
}

nexauth_source *stock_take(void)
{
    if (stock.ready_count == 0) {
        bench_stop_watch();
        free_served();
        while (stock.ready_count < BATCH)
            stock.ready[stock.ready_count++] = stock_make(stock.session, stock.origin);
        bench_start_watch();
    }
    return stock.ready[--stock.ready_count];
}

void stock_put_away(nexauth_source *source)
{
    stock.served[stock.served_count++] = source;
}

void stock_close(void)
{
    free_served();
    while (stock.ready_count > 0)
        nexauth_source_free(stock.ready[--stock.ready_count]);
}
