/*
 * Certificates for 127.0.0.1, ::1 and localhost, made at each start: nobody has to trust, or can misuse, a key that
 * lies in a repository. ECDSA on P-256, because it is fast.
 */
#include "certificates.h"

#include "text.h"

#include <gnutls/crypto.h>
#include <gnutls/x509.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { DAY_S = 86400 };

struct authority {
    gnutls_x509_privkey_t key;
    gnutls_x509_crt_t certificate;
};

static void authority_release(struct authority *authority)
{
    if (authority->certificate)
        gnutls_x509_crt_deinit(authority->certificate);
    if (authority->key)
        gnutls_x509_privkey_deinit(authority->key);
}

static int make_key(gnutls_x509_privkey_t *key)
{
    int failed = gnutls_x509_privkey_init(key);

    return failed ? failed
                  : gnutls_x509_privkey_generate(*key, GNUTLS_PK_ECDSA,
                                                 GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
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

/* What all certificates have. */
static int begin(gnutls_x509_crt_t *out, gnutls_x509_privkey_t key, const char *name, int valid_until_day)
{
    time_t now = time(NULL);
    int failed = gnutls_x509_crt_init(out);

    if (failed)
        return failed;
    gnutls_x509_crt_t certificate = *out;
    failed = gnutls_x509_crt_set_version(certificate, 3);
    if (!failed)
        failed = gnutls_x509_crt_set_key(certificate, key);
    if (!failed)
        failed = gnutls_x509_crt_set_dn_by_oid(certificate, GNUTLS_OID_X520_COMMON_NAME, 0, name,
                                               (unsigned int)strlen(name));
    if (!failed)
        failed = gnutls_x509_crt_set_activation_time(certificate, now - (time_t)3 * DAY_S);
    if (!failed)
        failed = gnutls_x509_crt_set_expiration_time(certificate, now + (time_t)valid_until_day * DAY_S);
    if (!failed)
        failed = set_serial(certificate);
    return failed ? failed : set_key_id(certificate);
}

static int make_authority(struct authority *authority, const char *name)
{
    int failed = make_key(&authority->key);

    if (!failed)
        failed = begin(&authority->certificate, authority->key, name, 365);
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

/* How a leaf is made; `stranger`: by an authority that nobody trusts. */
static const struct recipe {
    const char *name;
    bool other_host;
    bool self_signed;
    bool stranger;
    bool clients_only;
    int valid_until_day;
} recipes[EMU_CERTIFICATES] = {
    [EMU_RIGHT] = {"localhost", false, false, false, false, 365},
    [EMU_EXPIRED] = {"localhost", false, false, false, false, -1},
    [EMU_WRONG_NAME] = {"elsewhere.example.com", true, false, false, false, 365},
    [EMU_SELF_SIGNED] = {"localhost", false, true, false, false, 365},
    [EMU_UNKNOWN_AUTHORITY] = {"localhost", false, false, true, false, 365},
    [EMU_CLIENTS_ONLY] = {"localhost", false, false, false, true, 365},
};

static int set_names(gnutls_x509_crt_t certificate, const struct recipe *recipe)
{
    return recipe->other_host
               ? gnutls_x509_crt_set_subject_alt_name(certificate, GNUTLS_SAN_DNSNAME, recipe->name,
                                                      (unsigned int)strlen(recipe->name), GNUTLS_FSAN_SET)
               : set_loopback_names(certificate);
}

static int finish_leaf(gnutls_x509_crt_t leaf, gnutls_x509_privkey_t key, const struct recipe *recipe,
                       const struct authority *authority)
{
    int failed = gnutls_x509_crt_set_basic_constraints(leaf, 0, -1);

    if (!failed)
        failed = gnutls_x509_crt_set_key_usage(leaf, GNUTLS_KEY_DIGITAL_SIGNATURE);
    if (!failed)
        failed = gnutls_x509_crt_set_key_purpose_oid(
            leaf, recipe->clients_only ? GNUTLS_KP_TLS_WWW_CLIENT : GNUTLS_KP_TLS_WWW_SERVER, 0);
    if (!failed)
        failed = set_names(leaf, recipe);
    if (!failed)
        failed = set_authority_key_id(leaf, recipe->self_signed ? leaf : authority->certificate);
    if (failed)
        return failed;
    return recipe->self_signed
               ? gnutls_x509_crt_sign2(leaf, leaf, key, GNUTLS_DIG_SHA256, 0)
               : gnutls_x509_crt_sign2(leaf, authority->certificate, authority->key, GNUTLS_DIG_SHA256, 0);
}

/* Takes what GnuTLS allocated; exported PEM ends in a NUL that is not counted. */
static char *take_text(gnutls_datum_t *datum)
{
    char *text = emu_copy((const char *)datum->data, datum->size);

    gnutls_free(datum->data);
    return text;
}

static int export_certificate(gnutls_x509_crt_t certificate, char **text)
{
    gnutls_datum_t pem = {0};
    int failed = gnutls_x509_crt_export2(certificate, GNUTLS_X509_FMT_PEM, &pem);

    if (!failed)
        *text = take_text(&pem);
    return failed;
}

/* As RFC 7469 pins a key: the hash of its SubjectPublicKeyInfo. */
static int make_pin(gnutls_x509_privkey_t key, char **pin)
{
    unsigned char id[32];
    size_t length = sizeof(id);
    gnutls_datum_t base64 = {0};
    int failed = gnutls_x509_privkey_get_key_id(key, GNUTLS_KEYID_USE_SHA256, id, &length);
    const gnutls_datum_t hash = {.data = id, .size = (unsigned int)length};

    if (!failed)
        failed = gnutls_base64_encode2(&hash, &base64);
    if (failed)
        return failed;
    *pin = emu_format("sha256//%.*s", (int)base64.size, (const char *)base64.data);
    gnutls_free(base64.data);
    return 0;
}

static int make_leaf(gnutls_x509_privkey_t key, const struct recipe *recipe, const struct authority *authority,
                     char **text)
{
    gnutls_x509_crt_t leaf = NULL;
    int failed = begin(&leaf, key, recipe->name, recipe->valid_until_day);

    if (!failed)
        failed = finish_leaf(leaf, key, recipe, authority);
    if (!failed)
        failed = export_certificate(leaf, text);
    if (leaf)
        gnutls_x509_crt_deinit(leaf);
    return failed;
}

static int make_leaves(struct emu_certificates *certificates, const struct authority *trusted,
                       const struct authority *stranger)
{
    gnutls_x509_privkey_t key = NULL;
    gnutls_datum_t pem = {0};
    int failed = make_key(&key);

    for (size_t i = 0; !failed && i < EMU_CERTIFICATES; i++)
        failed = make_leaf(key, &recipes[i], recipes[i].stranger ? stranger : trusted, &certificates->of[i]);
    if (!failed)
        failed = gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &pem);
    if (!failed)
        certificates->key = take_text(&pem);
    if (!failed)
        failed = make_pin(key, &certificates->pin);
    if (key)
        gnutls_x509_privkey_deinit(key);
    return failed;
}

int emu_certificates_make(struct emu_certificates *certificates)
{
    struct authority trusted = {0};
    struct authority stranger = {0};
    int failed = make_authority(&trusted, "nexauth-emulator authority");

    *certificates = (struct emu_certificates){0};
    if (!failed)
        failed = make_authority(&stranger, "nexauth-emulator stranger");
    if (!failed)
        failed = export_certificate(trusted.certificate, &certificates->authority);
    if (!failed)
        failed = make_leaves(certificates, &trusted, &stranger);
    authority_release(&stranger);
    authority_release(&trusted);
    return failed;
}

void emu_certificates_release(struct emu_certificates *certificates)
{
    for (size_t i = 0; i < EMU_CERTIFICATES; i++)
        free(certificates->of[i]);
    free(certificates->authority);
    free(certificates->key);
    free(certificates->pin);
    *certificates = (struct emu_certificates){0};
}
