#ifndef NX_TEST_CASES_H
#define NX_TEST_CASES_H

#include "support/test.h"

#include "core/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Test cases as data: one text file each, so that a further case needs no C.
 *
 *     # a comment
 *     source: nex_user
 *     client_secret: a\tb
 *     ---
 *     what follows is the driver's: a request as it must leave, or an answer as it comes
 *
 * A line is "key: value"; the value starts behind one blank and may be empty. In values, \t \n \r \\ and \xHH are
 * single bytes, and \{unit*N} is `unit` (which may hold the former) N times over. Below "---" every byte counts but
 * the file's last line end; there, escapes are read only in a case that says "escapes: yes".
 *
 * Two lines with one key, and a line that no driver asks for, are differences: a misspelt key cannot pass unseen.
 */
enum { CASE_LINES = 40, CASE_REPORT = 4096 };

struct case_line {
    const char *key;
    struct nx_text value;
    bool used;
};

struct case_file {
    const char *path;
    char *bytes; /* the file as it was read, cut at the ends of its keys */
    size_t count;
    struct case_line lines[CASE_LINES];
    bool has_rest;
    struct nx_text rest;      /* below "---" */
    char report[CASE_REPORT]; /* the differences, one a line; empty: none */
};

/* Reads a file below the data folder. What is wrong with it is a difference. */
void case_open(struct case_file *file, const char *path);

/* The value of a line, or NULL. */
const char *case_value(struct case_file *file, const char *key);

/* True when the line says "yes". Any other value is a difference. */
bool case_says_yes(struct case_file *file, const char *key);

/* The number that the line says, or `fallback` when there is no such line. */
int64_t case_number(struct case_file *file, const char *key, int64_t fallback);

/* A status by its name; a difference when it is none. */
nexauth_status case_status(struct case_file *file, const char *name);

/* Notes a difference. */
void case_differs(struct case_file *file, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Notes a difference between what was expected and what came, unless there is none. */
void case_compare(struct case_file *file, const char *what, const char *expected, const char *got);
void case_compare_numbers(struct case_file *file, const char *what, int64_t expected, int64_t got);
void case_compare_bytes(struct case_file *file, const char *what, const struct nx_text *expected,
                        const struct nx_text *got);

/* False when the case says "needs: xml" or "needs: no-xml" and this build is the other. */
bool case_fits_build(struct case_file *file);

/* Adds a difference for each line that nobody asked for. */
void case_find_unused(struct case_file *file);

/* Frees what the file holds; its report stays. */
void case_release(struct case_file *file);

/* Finds unused lines, releases, and fails the test when there are differences. */
void case_close(struct case_file *file);

/*
 * Runs every *.case of every folder below `group` (a folder of the data folder) as a test of its own, and then the
 * tests `more`. A folder with fewer than `least` cases, or with a file that is no case, is a failure. `run` finds the
 * path of its case in *state. The result is main's.
 */
int case_run_group(const char *group, size_t least, CMUnitTestFunction run, const struct CMUnitTest *more,
                   size_t more_count);

#endif
