#ifndef EMU_TLS_H
#define EMU_TLS_H

#include "certificates.h"

#include <gnutls/gnutls.h>
#include <stdbool.h>

/* What TLS needs: certificates that are made for each run. */
struct emu_tls {
    struct emu_certificates certificates;
    gnutls_datum_t ticket_key;
    char *file;   /* where the authority was written */
    char *folder; /* NULL, or made for the file: both go away at the end */
};

/* Writes the authority to `path`, or to a fresh folder when it is NULL. False after a sentence on standard error. */
bool emu_tls_init(struct emu_tls *tls, const char *path);
void emu_tls_release(struct emu_tls *tls);

#endif
