#include "io/under_way.h"

#include "io/exchanges.h"

/* Nearly all have the same time, and come last. */
static void add(struct nx_under_way *under_way, struct nx_exchange *exchange)
{
    struct nx_exchange *older = under_way->newest;

    while (older && older->deadline_ms > exchange->deadline_ms)
        older = older->older;
    exchange->older = older;
    exchange->newer = older ? older->newer : under_way->oldest;
    *(older ? &older->newer : &under_way->oldest) = exchange;
    *(exchange->newer ? &exchange->newer->older : &under_way->newest) = exchange;
}

static void end(struct nx_under_way *under_way, struct nx_exchange *exchange, struct nx_exchange **ended)
{
    *(exchange->older ? &exchange->older->newer : &under_way->oldest) = exchange->newer;
    *(exchange->newer ? &exchange->newer->older : &under_way->newest) = exchange->older;
    nx_exchanges_push(ended, exchange);
}

void nx_under_way_begin(struct nx_under_way *under_way, const struct nx_world *world, int64_t timeout_ms,
                        struct nx_exchange *list)
{
    const int64_t deadline_ms = list ? nx_boot_ms(&world->clock) + timeout_ms : 0;

    while (list) {
        struct nx_exchange *exchange = list;

        list = exchange->next;
        exchange->deadline_ms = deadline_ms;
        if (exchange->latest_ms && exchange->latest_ms < exchange->deadline_ms)
            exchange->deadline_ms = exchange->latest_ms;
        add(under_way, exchange);
        world->transport->verbs->begin(world->transport, exchange);
    }
}

static void give_up(struct nx_under_way *under_way, const struct nx_world *world, struct nx_exchange *exchange,
                    enum nx_loss loss, struct nx_exchange **ended)
{
    world->transport->verbs->give_up(world->transport, exchange);
    exchange->loss = loss;
    end(under_way, exchange, ended);
}

void nx_under_way_turn(struct nx_under_way *under_way, const struct nx_world *world, int64_t wait_ms,
                       struct nx_exchange **ended)
{
    struct nx_exchange *finished = world->transport->verbs->turn(world->transport, wait_ms);
    int64_t now;

    while (finished) {
        struct nx_exchange *exchange = finished;

        finished = exchange->next;
        end(under_way, exchange, ended);
    }
    now = under_way->oldest ? nx_boot_ms(&world->clock) : 0;
    while (under_way->oldest && under_way->oldest->deadline_ms <= now)
        give_up(under_way, world, under_way->oldest, NX_LOSS_TIMEOUT, ended);
}

static bool must_be_awaited(const struct nx_exchange *exchange)
{
    return exchange->request.one_time && exchange->sendings > 0;
}

void nx_under_way_give_up(struct nx_under_way *under_way, const struct nx_world *world, bool all,
                          struct nx_exchange **ended)
{
    struct nx_exchange *next;

    for (struct nx_exchange *exchange = under_way->oldest; exchange; exchange = next) {
        next = exchange->newer;
        if ((all || exchange->unwanted) && !must_be_awaited(exchange))
            give_up(under_way, world, exchange, NX_LOSS_CANCELED, ended);
    }
}
