#ifndef EMU_TLS_H
#define EMU_TLS_H

#include <gnutls/gnutls.h>
#include <stdbool.h>

/* A certificate authority of its own for each run, and what it certified for loopback. The authority's key is not kept.
 */
struct emu_tls {
    char *key;         /* PEM */
    char *certificate; /* PEM */
    char *authority;   /* PEM: what clients trust */
    gnutls_datum_t ticket_key;
    char *file;   /* where the authority was written */
    char *folder; /* NULL, or made for the file: both go away at the end */
};

/* Writes the authority to `path`, or to a fresh folder when it is NULL. False after a sentence on standard error. */
bool emu_tls_init(struct emu_tls *tls, const char *path);
void emu_tls_release(struct emu_tls *tls);

#endif
