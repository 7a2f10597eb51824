/*
 * A process of its own that uses secrets, and then rests for its memory to be searched. It gets them by its standard
 * input, keeps no copy, and writes to its standard output the tokens that came, a line each, then an empty line.
 */
#ifndef NX_TEST_VICTIM_H
#define NX_TEST_VICTIM_H

#include "canaries.h"

enum victim_world {
    VICTIM_HTTPS,          /* a real network */
    VICTIM_HTTPS_HARDENED, /* in the hardened mode */
    VICTIM_SCRIPTED,       /* all in the process */
};

struct victim_brief {
    enum victim_world world;
    char ca_file[1024];
    char key_file[64]; /* of a client, in PEM */
    char nex[64], quantoz[64], nexusguard[64];
    struct canaries canaries;
};

/* The program's main(). It rests twice, for a byte of its input each: with all at hand, and when all is freed. */
int victim_live(void);

#endif
