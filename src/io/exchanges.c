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
