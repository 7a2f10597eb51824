#include "io/exchanges.h"

void nx_exchanges_push(struct nx_exchange **list, struct nx_exchange *exchange)
{
    exchange->next = *list;
    *list = exchange;
}

void nx_exchanges_append(struct nx_exchange ***end, struct nx_exchange *more)
{
    **end = more;
    while (**end)
        *end = &(**end)->next;
}

void nx_exchanges_take(struct nx_exchange **list, struct nx_exchange ***end, struct nx_exchange *exchange)
{
    struct nx_exchange **at = list;

    while (*at != exchange)
        at = &(*at)->next;
    *at = exchange->next;
    if (*end == &exchange->next)
        *end = at;
}

void nx_exchanges_add(struct nx_exchange **oldest, struct nx_exchange **newest, struct nx_exchange *exchange)
{
    struct nx_exchange *older = *newest;

    while (older && older->deadline_ms > exchange->deadline_ms)
        older = older->older;
    exchange->older = older;
    exchange->newer = older ? older->newer : *oldest;
    *(older ? &older->newer : oldest) = exchange;
    *(exchange->newer ? &exchange->newer->older : newest) = exchange;
}

void nx_exchanges_remove(struct nx_exchange **oldest, struct nx_exchange **newest, struct nx_exchange *exchange)
{
    *(exchange->older ? &exchange->older->newer : oldest) = exchange->newer;
    *(exchange->newer ? &exchange->newer->older : newest) = exchange->older;
}
