#include "support/odometer.h"

#include <string.h>

void odometer_init(struct odometer *odometer, const char *alphabet, size_t letters, size_t longest)
{
    memset(odometer, 0, sizeof *odometer);
    odometer->alphabet = alphabet;
    odometer->letters = letters ? letters : strlen(alphabet);
    odometer->longest = longest;
}

/* The last place first. */
static bool turn(struct odometer *odometer)
{
    for (size_t i = odometer->length; i-- > 0;) {
        odometer->places[i] = (odometer->places[i] + 1) % odometer->letters;
        odometer->text[i] = odometer->alphabet[odometer->places[i]];
        if (odometer->places[i] > 0)
            return true;
    }
    return false;
}

bool odometer_next(struct odometer *odometer)
{
    if (turn(odometer))
        return true;
    if (odometer->length == odometer->longest)
        return false;
    odometer->length++;
    for (size_t i = 0; i < odometer->length; i++) {
        odometer->places[i] = 0;
        odometer->text[i] = odometer->alphabet[0];
    }
    return true;
}
