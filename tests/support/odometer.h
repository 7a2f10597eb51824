/* All strings up to a length over an alphabet, the shortest first. */
#ifndef NX_TEST_ODOMETER_H
#define NX_TEST_ODOMETER_H

#include <stdbool.h>
#include <stddef.h>

enum { ODOMETER_LONGEST = 15 };

/* Begins at "". */
struct odometer {
    const char *alphabet;
    size_t letters; /* of the alphabet, which may hold a NUL */
    size_t longest;
    size_t length;
    size_t places[ODOMETER_LONGEST];
    char text[ODOMETER_LONGEST + 1];
};

/* `letters` of 0: the alphabet ends at its NUL. */
void odometer_init(struct odometer *odometer, const char *alphabet, size_t letters, size_t longest);

/* The next string; false when there is none. */
bool odometer_next(struct odometer *odometer);

#endif
