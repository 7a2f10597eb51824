#ifndef EMU_CERTIFICATES_H
#define EMU_CERTIFICATES_H

#include <gnutls/gnutls.h>
#include <stdbool.h>

/* The certificates of a run: one that is right, and some that are wrong in one thing each. */
enum emu_certificate_id {
    EMU_RIGHT,
    EMU_EXPIRED,           /* yesterday */
    EMU_WRONG_NAME,        /* for another host */
    EMU_SELF_SIGNED,       /* by nobody else */
    EMU_UNKNOWN_AUTHORITY, /* by an authority that nobody trusts */
    EMU_CLIENTS_ONLY,      /* for clients, not for servers */
    EMU_CERTIFICATES
};

/* PEM. All certificates have the same key. */
struct emu_certificates {
    char *key;
    char *of[EMU_CERTIFICATES];
    char *authority; /* what clients trust; its key is not kept */
    char *pin;       /* the key as clients pin it: "sha256//" and its hash in base64 */
};

/* 0, or GnuTLS's number of what went wrong. */
int emu_certificates_make(struct emu_certificates *certificates);
void emu_certificates_release(struct emu_certificates *certificates);

#endif
