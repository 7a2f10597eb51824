#include "core/transport.h"

void nx_exchange_init(struct nx_exchange *exchange, size_t answer_bound)
{
    *exchange = (struct nx_exchange){0};
    nx_request_init(&exchange->request);
    nx_text_init(&exchange->response.location, answer_bound);
    nx_text_init(&exchange->response.retry_after, answer_bound);
    nx_text_init(&exchange->response.date, answer_bound);
    nx_text_init(&exchange->response.body, answer_bound);
}

void nx_exchange_reset(struct nx_exchange *exchange)
{
    nx_text_release(&exchange->response.location);
    nx_text_release(&exchange->response.retry_after);
    nx_text_release(&exchange->response.date);
    nx_text_release(&exchange->response.body);
    exchange->response.http_status = 0;
    exchange->response.over_cap = false;
    exchange->loss = NX_LOSS_NONE;
    exchange->reason[0] = '\0';
    exchange->sendings = 0;
}

void nx_exchange_release(struct nx_exchange *exchange)
{
    nx_request_release(&exchange->request);
    nx_exchange_reset(exchange);
}
