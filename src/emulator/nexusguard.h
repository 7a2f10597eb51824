#ifndef EMU_NEXUSGUARD_H
#define EMU_NEXUSGUARD_H

#include "service.h"

#include <cjson/cJSON.h>

/* What Nexusguard's token endpoints and its API share: envelopes, and the codes in them. */

enum {
    EMU_SUCCESS = 0,
    EMU_WRONG_APP = 40001,
    EMU_WRONG_PARAMETER = 40013,
    EMU_WRONG_CODE = 40029,
    EMU_WRONG_REFRESH_TOKEN = 40030,
    EMU_WRONG_ACCESS_TOKEN = 40031,
    EMU_NOT_ACCEPTED = 40035,
};

/* {"code", "msg", "result"}. The result becomes the answer's. */
void emu_nexusguard_answer(int code, cJSON *result, struct emu_answer *answer);

/* The same with an empty result. */
void emu_nexusguard_refuse(int code, struct emu_answer *answer);

emu_handler emu_nexusguard_customers;

#endif
