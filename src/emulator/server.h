#ifndef EMU_SERVER_H
#define EMU_SERVER_H

#include "emulator.h"
#include "tls.h"

#include <stdbool.h>
#include <stdint.h>

/* One service on one port of 127.0.0.1 and, where the system has it, of ::1. It must not move while it runs. */
struct emu_server {
    struct emu *emu;
    const struct emu_service *service;
    const struct emu_tls *tls; /* NULL: plain http */
    struct MHD_Daemon *daemon;
    struct MHD_Daemon *daemon_v6; /* NULL: the system has no ::1 */
    uint16_t port;                /* the system's choice, the same of both */
};

/* False after a sentence on standard error. `tls` may be NULL. */
bool emu_server_start(struct emu_server *server, struct emu *emu, const struct emu_service *service,
                      const struct emu_tls *tls);

/* Ends all connections. Answers that are delayed need emu->ending to leave. Takes one that never started. */
void emu_server_stop(struct emu_server *server);

#endif
