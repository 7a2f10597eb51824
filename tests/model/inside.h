/* What the engine looks like from inside, at a moment when nobody can go on before time passes. */
#ifndef NX_MODEL_INSIDE_H
#define NX_MODEL_INSIDE_H

#include "io/engine.h"

/* What is amiss then; NULL: nothing. */
const char *inside_fault(const struct nx_engine *engine);

#endif
