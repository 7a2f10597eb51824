/* A descriptor for an event loop to watch: readable while it is lit, or while another descriptor is readable. */
#ifndef NX_BEACON_H
#define NX_BEACON_H

struct nx_beacon;

/* `other` may be -1: none. NULL when descriptors or memory ran out. */
struct nx_beacon *nx_beacon_new(int other);
void nx_beacon_free(struct nx_beacon *beacon);

int nx_beacon_descriptor(const struct nx_beacon *beacon);

/* Both may be called in any state, by one thread at a time. */
void nx_beacon_light(struct nx_beacon *beacon);
void nx_beacon_quench(struct nx_beacon *beacon);

#endif
