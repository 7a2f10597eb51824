#include "core/request.h"

#include "core/encode.h"

enum { URL_LONGEST = 160 * 1024, HEADER_LONGEST = 80 * 1024, BODY_LONGEST = 256 * 1024 };

void nx_request_init(struct nx_request *request)
{
    *request = (struct nx_request){0};
    nx_text_init(&request->url, URL_LONGEST);
    nx_text_init(&request->body, BODY_LONGEST);
    for (size_t i = 0; i < NX_REQUEST_HEADERS; i++)
        nx_text_init(&request->headers[i], HEADER_LONGEST);
}

void nx_request_release(struct nx_request *request)
{
    nx_text_release(&request->url);
    nx_text_release(&request->body);
    for (size_t i = 0; i < NX_REQUEST_HEADERS; i++)
        nx_text_release(&request->headers[i]);
}

void nx_request_begin(struct nx_request *request, enum nx_carrier carrier, const char *origin, const char *path)
{
    nx_request_release(request);
    request->carrier = carrier;
    request->one_time = false;
    request->parameters = 0;
    request->header_count = 0;
    nx_text_add(&request->url, origin);
    nx_text_add(&request->url, path);
    if (carrier == NX_CARRIER_FORM)
        nx_request_header(request, "Content-Type", "application/x-www-form-urlencoded");
    if (carrier == NX_CARRIER_JSON)
        nx_request_header(request, "Content-Type", "application/json");
}

void nx_request_header(struct nx_request *request, const char *name, const char *value)
{
    struct nx_text *line;

    if (request->header_count == NX_REQUEST_HEADERS) {
        nx_text_fail(&request->url, NEXAUTH_INVALID);
        return;
    }
    line = &request->headers[request->header_count++];
    nx_text_add(line, name);
    nx_text_add(line, ": ");
    nx_text_add(line, value);
}

static void add_query(struct nx_request *request, const char *name, const char *value)
{
    nx_text_add_char(&request->url, request->parameters ? '&' : '?');
    nx_add_percent(&request->url, name);
    nx_text_add_char(&request->url, '=');
    nx_add_percent(&request->url, value);
}

static void add_form(struct nx_request *request, const char *name, const char *value)
{
    if (request->parameters)
        nx_text_add_char(&request->body, '&');
    nx_add_form(&request->body, name);
    nx_text_add_char(&request->body, '=');
    nx_add_form(&request->body, value);
}

static void add_json(struct nx_request *request, const char *name, const char *value)
{
    nx_text_add_char(&request->body, request->parameters ? ',' : '{');
    nx_add_json_string(&request->body, name);
    nx_text_add_char(&request->body, ':');
    nx_add_json_string(&request->body, value);
}

void nx_request_parameter(struct nx_request *request, const char *name, const char *value)
{
    static void (*const add[])(struct nx_request *, const char *, const char *) = {
        [NX_CARRIER_QUERY] = add_query, [NX_CARRIER_FORM] = add_form, [NX_CARRIER_JSON] = add_json};

    if (!value || !*value)
        return;
    add[request->carrier](request, name, value);
    request->parameters++;
}

nexauth_status nx_request_end(struct nx_request *request)
{
    nexauth_status status = request->url.status;

    if (request->carrier == NX_CARRIER_JSON)
        nx_text_add_char(&request->body, '}');
    for (size_t i = 0; i < request->header_count && !status; i++)
        status = request->headers[i].status;
    return status ? status : request->body.status;
}
