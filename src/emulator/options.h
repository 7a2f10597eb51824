#ifndef EMU_OPTIONS_H
#define EMU_OPTIONS_H

#include "emulator.h"

#include <stdbool.h>

/* The command line. Texts are borrowed from it. */
struct emu_options {
    const char *accounts;
    const char *ca_file;
    bool until_eof;
};

/*
 * Reads the command line; faults, limits and how tokens are handed out go to the emulator as they come. -1 to go on, or
 * the status to exit with, after everything was said that there is to say.
 */
int emu_options_read(int count, char **values, struct emu *emu, struct emu_options *options);

#endif
