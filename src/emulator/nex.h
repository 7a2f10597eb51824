#ifndef EMU_NEX_H
#define EMU_NEX_H

#include "service.h"

#include <cjson/cJSON.h>

/* What NEX's token endpoint and its API share: answers as ASP.NET Web API words them. */

#define EMU_NEX_INSTANCE "xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\""
#define EMU_NEX_MODELS   "xmlns=\"http://schemas.datacontract.org/2004/07/NEX.API.Models\""

/* The JSON or the XML text, whichever was asked for; the other is released. */
void emu_nex_either(const struct emu_request *request, unsigned int status, cJSON *json, char *xml,
                    struct emu_answer *answer);

/* {"Message"}, or the same in XML. */
void emu_nex_message(const struct emu_request *request, unsigned int status, const char *message,
                     struct emu_answer *answer);

/* 415, of a body that is not JSON. */
void emu_nex_refuse_media_type(const struct emu_request *request, struct emu_answer *answer);

emu_handler emu_nex_controllers;
emu_handler emu_nex_stream;

#endif
