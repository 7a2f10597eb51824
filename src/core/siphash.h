/* SipHash-2-4 (Aumasson and Bernstein, 2012): a keyed hash, so that nobody who picks inputs can pick collisions. */
#ifndef NX_SIPHASH_H
#define NX_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

struct nx_siphash_key {
    uint64_t k0;
    uint64_t k1;
};

uint64_t nx_siphash(const struct nx_siphash_key *key, const void *bytes, size_t size);

#endif
