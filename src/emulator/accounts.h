#ifndef EMU_ACCOUNTS_H
#define EMU_ACCOUNTS_H

#include <cjson/cJSON.h>

/*
 * The accounts of the file, or the built-in ones when `path` is NULL. NULL when the file cannot be read or does not fit
 * the schema; *problem is then a sentence, which the caller frees. End with cJSON_Delete.
 */
cJSON *emu_accounts_load(const char *path, char **problem);

#endif
