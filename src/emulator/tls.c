/*
 * Certificates for 127.0.0.1, ::1 and localhost, made at each start: nobody has to trust, or can misuse, a key that
 * lies in a repository. ECDSA on P-256, because it is fast.
 */
#include "tls.h"

#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <gnutls/crypto.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { VALID_BEFORE_S = 86400, VALID_AFTER_S = 365 * 86400 };

struct identity {
    gnutls_x509_privkey_t key;
    gnutls_x509_crt_t certificate;
};

static void identity_release(struct identity *identity)
{
    if (identity->certificate)
        gnutls_x509_crt_deinit(identity->certificate);
    if (identity->key)
        gnutls_x509_privkey_deinit(identity->key);
}

static int set_serial(gnutls_x509_crt_t certificate)
{
    unsigned char serial[16];
    int failed = gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof(serial));

    serial[0] = (unsigned char)((serial[0] & 0x3f) | 0x40); /* positive, and of full length (RFC 5280, 4.1.2.2) */
    return failed ? failed : gnutls_x509_crt_set_serial(certificate, serial, sizeof(serial));
}

static int set_key_id(gnutls_x509_crt_t certificate)
{
    unsigned char id[64];
    size_t length = sizeof(id);
    int failed = gnutls_x509_crt_get_key_id(certificate, 0, id, &length);

    return failed ? failed : gnutls_x509_crt_set_subject_key_id(certificate, id, length);
}

/* What both certificates have. */
static int identity_begin(struct identity *identity, const char *name)
{
    time_t now = time(NULL);
    int failed = gnutls_x509_privkey_init(&identity->key);

    if (!failed)
        failed = gnutls_x509_privkey_generate(identity->key, GNUTLS_PK_ECDSA,
                                              GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
    if (!failed)
        failed = gnutls_x509_crt_init(&identity->certificate);
    gnutls_x509_crt_t certificate = identity->certificate;
    if (!failed)
        failed = gnutls_x509_crt_set_version(certificate, 3);
    if (!failed)
        failed = gnutls_x509_crt_set_key(certificate, identity->key);
    if (!failed)
        failed = gnutls_x509_crt_set_dn_by_oid(certificate, GNUTLS_OID_X520_COMMON_NAME, 0, name,
                                               (unsigned int)strlen(name));
    if (!failed)
        failed = gnutls_x509_crt_set_activation_time(certificate, now - VALID_BEFORE_S);
    if (!failed)
        failed = gnutls_x509_crt_set_expiration_time(certificate, now + VALID_AFTER_S);
    if (!failed)
        failed = set_serial(certificate);
    return failed ? failed : set_key_id(certificate);
}

static int make_authority(struct identity *authority)
{
    int failed = identity_begin(authority, "nexauth-emulator authority");

    if (!failed)
        failed = gnutls_x509_crt_set_basic_constraints(authority->certificate, 1, 0);
    if (!failed)
        failed = gnutls_x509_crt_set_key_usage(authority->certificate, GNUTLS_KEY_KEY_CERT_SIGN);
    return failed ? failed
                  : gnutls_x509_crt_sign2(authority->certificate, authority->certificate, authority->key,
                                          GNUTLS_DIG_SHA256, 0);
}

static int set_loopback_names(gnutls_x509_crt_t certificate)
{
    static const unsigned char v4[4] = {127, 0, 0, 1};
    static const unsigned char v6[16] = {[15] = 1};
    static const char name[] = "localhost";
    int failed = gnutls_x509_crt_set_subject_alt_name(certificate, GNUTLS_SAN_DNSNAME, name, sizeof(name) - 1,
                                                      GNUTLS_FSAN_SET);

    if (!failed)
        failed = gnutls_x509_crt_set_subject_alt_name(certificate, GNUTLS_SAN_IPADDRESS, v4, sizeof(v4),
                                                      GNUTLS_FSAN_APPEND);
    return failed ? failed
                  : gnutls_x509_crt_set_subject_alt_name(certificate, GNUTLS_SAN_IPADDRESS, v6, sizeof(v6),
                                                         GNUTLS_FSAN_APPEND);
}

static int set_authority_key_id(gnutls_x509_crt_t certificate, gnutls_x509_crt_t authority)
{
    unsigned char id[64];
    size_t length = sizeof(id);
    int failed = gnutls_x509_crt_get_subject_key_id(authority, id, &length, NULL);

    return failed ? failed : gnutls_x509_crt_set_authority_key_id(certificate, id, length);
}

static int make_leaf(struct identity *leaf, const struct identity *authority)
{
    int failed = identity_begin(leaf, "localhost");

    if (!failed)
        failed = gnutls_x509_crt_set_basic_constraints(leaf->certificate, 0, -1);
    if (!failed)
        failed = gnutls_x509_crt_set_key_usage(leaf->certificate, GNUTLS_KEY_DIGITAL_SIGNATURE);
    if (!failed)
        failed = gnutls_x509_crt_set_key_purpose_oid(leaf->certificate, GNUTLS_KP_TLS_WWW_SERVER, 0);
    if (!failed)
        failed = set_loopback_names(leaf->certificate);
    if (!failed)
        failed = set_authority_key_id(leaf->certificate, authority->certificate);
    return failed
               ? failed
               : gnutls_x509_crt_sign2(leaf->certificate, authority->certificate, authority->key, GNUTLS_DIG_SHA256, 0);
}

/* Takes what GnuTLS allocated; exported PEM ends in a NUL that is not counted. */
static char *take_text(gnutls_datum_t *datum)
{
    char *text = emu_copy((const char *)datum->data, datum->size);

    gnutls_free(datum->data);
    return text;
}

static int export_all(struct emu_tls *tls, const struct identity *authority, const struct identity *leaf)
{
    gnutls_datum_t pem = {0};
    int failed = gnutls_x509_crt_export2(authority->certificate, GNUTLS_X509_FMT_PEM, &pem);

    if (!failed) {
        tls->authority = take_text(&pem);
        failed = gnutls_x509_crt_export2(leaf->certificate, GNUTLS_X509_FMT_PEM, &pem);
    }
    if (!failed) {
        tls->certificate = take_text(&pem);
        failed = gnutls_x509_privkey_export2(leaf->key, GNUTLS_X509_FMT_PEM, &pem);
    }
    if (!failed) {
        tls->key = take_text(&pem);
        failed = gnutls_session_ticket_key_generate(&tls->ticket_key);
    }
    return failed;
}

static int make_certificates(struct emu_tls *tls)
{
    struct identity authority = {0};
    struct identity leaf = {0};
    int failed = make_authority(&authority);

    if (!failed)
        failed = make_leaf(&leaf, &authority);
    if (!failed)
        failed = export_all(tls, &authority, &leaf);
    identity_release(&leaf);
    identity_release(&authority);
    return failed;
}

static bool make_folder(struct emu_tls *tls)
{
    const char *parent = getenv("TMPDIR");
    char *folder = emu_format("%s/nexauth-emulator-XXXXXX", parent && *parent ? parent : "/tmp");

    if (!mkdtemp(folder)) {
        free(folder);
        return false;
    }
    tls->folder = folder;
    tls->file = emu_format("%s/ca.pem", folder);
    return true;
}

static bool write_authority(const struct emu_tls *tls)
{
    size_t length = strlen(tls->authority);
    int descriptor = open(tls->file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH);

    if (descriptor < 0)
        return false;
    ssize_t written = write(descriptor, tls->authority, length);
    return close(descriptor) == 0 && written == (ssize_t)length;
}

bool emu_tls_init(struct emu_tls *tls, const char *path)
{
    int failed = 0;

    *tls = (struct emu_tls){0};
    failed = make_certificates(tls);
    if (failed) {
        fprintf(stderr, "nexauth-emulator: The certificates cannot be made: %s\n", gnutls_strerror(failed));
        return false;
    }
    if (path)
        tls->file = emu_copy(path, strlen(path));
    if ((path || make_folder(tls)) && write_authority(tls))
        return true;
    fprintf(stderr, "nexauth-emulator: The CA file %s cannot be written: %s.\n", tls->file ? tls->file : "",
            strerror(errno));
    return false;
}

void emu_tls_release(struct emu_tls *tls)
{
    if (tls->folder) {
        unlink(tls->file);
        rmdir(tls->folder);
    }
    if (tls->ticket_key.data) {
        gnutls_memset(tls->ticket_key.data, 0, tls->ticket_key.size);
        gnutls_free(tls->ticket_key.data);
    }
    free(tls->key);
    free(tls->certificate);
    free(tls->authority);
    free(tls->file);
    free(tls->folder);
    *tls = (struct emu_tls){0};
}
