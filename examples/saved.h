/* A refresh token in a file, from one run of a program to the next. One process at a time may use the file. */
#ifndef SAVED_H
#define SAVED_H

#include <stdbool.h>
#include <stddef.h>

/* False when there is none that can be read. */
bool saved_load(const char *path, char *refresh_token, size_t size);

/* Whole or not at all, and readable by its owner alone. */
bool saved_store(const char *path, const char *refresh_token);

/* For a refresh token that is spent: it must not be sent again. */
void saved_drop(const char *path);

#endif
