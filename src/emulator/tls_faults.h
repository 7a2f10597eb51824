#ifndef EMU_TLS_FAULTS_H
#define EMU_TLS_FAULTS_H

#include "tls.h"

#include <cjson/cJSON.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/*
 * What goes wrong below HTTP: plain sockets beside the services, a port for each fault, where a request over TLS gets
 * no token, and but at two of them no answer. A request that nevertheless arrives, which only a careless client sends
 * to most of them, is read and counted; then the connection is closed without close_notify.
 */

enum emu_tls_fault_id {
    EMU_CLOSES_AT_ACCEPT,
    EMU_CLOSES_IN_HANDSHAKE, /* after the client's first bytes */
    EMU_PLAIN_TEXT,          /* answers TLS with plain HTTP */
    EMU_TLS_1_1,             /* speaks nothing newer */
    EMU_CERTIFICATE_EXPIRED,
    EMU_CERTIFICATE_WRONG_NAME,
    EMU_CERTIFICATE_SELF_SIGNED,
    EMU_CERTIFICATE_UNKNOWN_CA,
    EMU_CERTIFICATE_CLIENTS_ONLY,
    EMU_WANTS_CERTIFICATE, /* of the client, any */
    EMU_WANTS_CERTIFICATE_1_2,
    EMU_WANTS_CERTIFICATE_1_3,
    EMU_TAKES_CERTIFICATE,       /* asks for one, does not insist, and answers 401 */
    EMU_ASKS_AFTER_REQUEST,      /* the same by TLS 1.2, in a second handshake */
    EMU_WANTS_CERTIFICATE_LATER, /* by TLS 1.3, once it has read the request */
    EMU_CLOSES_AFTER_REQUEST,    /* all is well until then: a ban by closed connections */
    EMU_TLS_FAULTS
};

struct emu_tls_fault_count {
    unsigned long connections;
    unsigned long requests; /* read to their end */
    unsigned long bytes;    /* of requests, without TLS's own */
};

/* Guarded by the emulator's lock. */
struct emu_tls_faults {
    struct emu_tls_fault_count of[EMU_TLS_FAULTS];
};

struct emu;

/* One of the ports. It must not move while it runs. */
struct emu_tls_fault_server {
    struct emu *emu;
    const struct emu_tls *tls;
    enum emu_tls_fault_id id;
    int listener;
    int stop; /* at its end once the servers have to stop */
    uint16_t port;
    pthread_t thread;
    bool running;
};

struct emu_tls_fault_servers {
    struct emu_tls_fault_server of[EMU_TLS_FAULTS];
    int stop[2]; /* a pipe whose writing end is closed to stop them */
    bool begun;
};

/* False after a sentence on standard error. */
bool emu_tls_faults_start(struct emu_tls_fault_servers *servers, struct emu *emu, const struct emu_tls *tls);

/* Ends all connections. Takes servers of which some never started. */
void emu_tls_faults_stop(struct emu_tls_fault_servers *servers);

/* TLS_FAULTS_EXPIRED=https://127.0.0.1:..., and so on. */
void emu_tls_faults_tell(const struct emu_tls_fault_servers *servers, FILE *stream);

/* Adds "tls_faults EXPIRED": {"connections", "requests", "bytes"}, and so on. */
void emu_tls_faults_report(const struct emu_tls_faults *faults, cJSON *report);
void emu_tls_faults_reset(struct emu_tls_faults *faults);

#endif
