#ifndef EMU_REPLY_H
#define EMU_REPLY_H

#include "emulator.h"

#include <microhttpd.h>

/*
 * Queues the answer, which is copied. The fault, or NULL, says whether its body goes out byte by byte, and whether the
 * connection is dropped in the middle of it. Called without the lock.
 */
enum MHD_Result emu_reply(struct emu *emu, struct MHD_Connection *connection, const struct emu_answer *answer,
                          const struct emu_fault *fault);

#endif
