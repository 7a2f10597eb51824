#ifndef NX_TEST_CASE_SOURCE_H
#define NX_TEST_CASE_SOURCE_H

#include "support/cases.h"

#include "core/options.h"
#include "core/provider.h"

/* A provider with the options of a case. */
struct case_source {
    const struct nx_provider *provider;
    void *options; /* the provider's public struct; its strings are the case file's */
    struct nexauth_code_meaning meanings[4];
    struct nx_identity identity; /* once it was made */
};

/* Chooses the provider by the line "source". False, with a difference, when there is none of that name. */
bool case_source_init(struct case_source *source, struct case_file *file);
void case_source_release(struct case_source *source);

/*
 * Fills in the options that `file` has lines for, their names as in the provider's table behind `prefix`, and those
 * that are in no table: "web_handler: yes", "xspe_callback: yes" (one that fails if it is ever called), and
 * "meaning: 40001=REAUTH -5=THROTTLED" for the meanings of codes.
 */
void case_source_fill(struct case_source *source, struct case_file *file, const char *prefix);

/* Makes the identity, as a source does when it is made. */
nexauth_status case_source_check(struct case_source *source, bool loopback_http, struct nexauth_error *error);

/* Notes a difference when `text` holds a secret of at least four bytes as it is. */
void case_source_find_leak(const struct case_source *source, struct case_file *file, const char *text);

#endif
