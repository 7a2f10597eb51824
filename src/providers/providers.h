/* The vendors. */
#ifndef NX_PROVIDERS_H
#define NX_PROVIDERS_H

#include "core/provider.h"

extern const struct nx_provider nx_nex_user;
extern const struct nx_provider nx_nex_controller;
extern const struct nx_provider nx_quantoz;
extern const struct nx_provider nx_nexusguard_app;
extern const struct nx_provider nx_nexusguard_user;
extern const struct nx_provider nx_static;

#endif
