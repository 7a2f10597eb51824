#ifndef EMU_SERVICE_H
#define EMU_SERVICE_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * A service is a table: its paths, and how it words a refusal. It sees a whole request and fills in an answer; it knows
 * no sockets and no threads, and is called with the emulator's lock held. A further vendor is one file with such a
 * table and one line in service.c.
 */

struct emu;
struct emu_service;
struct emu_shape;

enum emu_service_id {
    EMU_NEX,
    EMU_QUANTOZ_TEST,
    EMU_QUANTOZ_PRODUCTION,
    EMU_NEXUSGUARD,
    EMU_QUANTOZ_TEST_API,
    EMU_QUANTOZ_PRODUCTION_API,
    EMU_VENDORS
};

#define EMU_ISSUER_NAMES "nex, quantoz_test, quantoz_production and nexusguard"
#define EMU_SERVICE_NAMES                                                                                              \
    "nex, quantoz_test, quantoz_production, nexusguard, quantoz_test_api and quantoz_production_api"

/* A request that was read to its end. */
struct emu_request {
    const struct emu_service *service;
    const char *method;
    char *target;      /* the path, as sent */
    const char *query; /* as sent, or NULL when there is no '?' */
    const char *content_type;
    const char *accept;
    const char *authorization;
    const char *iso8601; /* request_iso8601 */
    bool header_twice;   /* Content-Type or Authorization */
    bool too_large;
    char *body; /* ends in a NUL that is not counted; NULL when empty */
    size_t length;
    const cJSON *connect;          /* how a fault wants the redirect altered, or NULL */
    const struct emu_shape *shape; /* how a fault wants the answer worded, or NULL */
};

enum { EMU_HEADERS_MAX = 64, EMU_VALUES_MAX = 8 };

struct emu_header {
    char *name;
    char *value;
};

/* Something that was granted, for whoever words the answer in another way. */
struct emu_value {
    const char *name;
    char *text;
};

struct emu_answer {
    unsigned int status;
    struct emu_header headers[EMU_HEADERS_MAX];
    size_t header_count;
    char *body;
    size_t length; /* of the body */
    struct emu_value values[EMU_VALUES_MAX];
    size_t value_count;
};

typedef void emu_handler(struct emu *emu, const struct emu_request *request, struct emu_answer *answer);

struct emu_route {
    const char *path;
    const char *method;
    emu_handler *handler;
    bool unlimited; /* a limit that is for the vendor's paths is not for this one */
};

enum { EMU_ROUTES_MAX = 8 };

struct emu_service {
    const char *name;
    enum emu_service_id id;           /* EMU_VENDORS: not a vendor; neither counted nor disturbed by faults */
    const struct emu_service *issuer; /* whose tokens it honours; NULL: its own, which it hands out */
    bool path_ignores_case;
    const struct emu_route *routes;
    size_t route_count; /* of a vendor: EMU_ROUTES_MAX at most */
    /* Words the refusal of a request that reaches no handler: 400, 404, 405 or 413. */
    void (*refuse)(const struct emu_request *request, unsigned int status, struct emu_answer *answer);
};

extern const struct emu_service emu_nex;
extern const struct emu_service emu_quantoz_test;
extern const struct emu_service emu_quantoz_production;
extern const struct emu_service emu_nexusguard;
extern const struct emu_service emu_quantoz_test_api;
extern const struct emu_service emu_quantoz_production_api;
extern const struct emu_service emu_control;

/* The vendors, in the order of their ids. */
extern const struct emu_service *const emu_vendors[EMU_VENDORS];

const struct emu_service *emu_service_by_name(const char *name);

/* The first route of that path, whatever its method, as an index; route_count when there is none. */
size_t emu_service_path(const struct emu_service *service, const char *path);

/* Hands the request to its handler, or refuses it. */
void emu_service_answer(struct emu *emu, const struct emu_request *request, struct emu_answer *answer);

/* Whether a Content-Type header names this media type, whatever its parameters. The header may be NULL. */
bool emu_media_type_is(const char *header, const char *type);

/* What is sent, anew. The body becomes the answer's; content_type may be NULL. */
void emu_answer_set(struct emu_answer *answer, unsigned int status, const char *content_type, char *body);
/* Headers behind the sixty-fourth are left out. */
void emu_answer_header(struct emu_answer *answer, const char *name, const char *value);
/* Names ignore case. */
void emu_answer_remove_header(struct emu_answer *answer, const char *name);
/* What is sent, as the other one has it. */
void emu_answer_copy(const struct emu_answer *from, struct emu_answer *answer);
/* What was granted: the name is borrowed, the text copied. The text, or NULL, borrowed. */
void emu_answer_grant(struct emu_answer *answer, const char *name, const char *text);
const char *emu_answer_granted(const struct emu_answer *answer, const char *name);
void emu_answer_release(struct emu_answer *answer);

#endif
