/* A proxy of the test's own that passes on what CONNECT asks for, on loopback, and keeps what it saw of it. */
#ifndef NX_TEST_TUNNEL_H
#define NX_TEST_TUNNEL_H

#include <stdbool.h>
#include <stddef.h>

enum { TUNNEL_CONNECTIONS = 32 };

struct tunnel;

/* On 127.0.0.1, at a port that the system picks. NULL when that cannot be. */
struct tunnel *tunnel_start(void);
void tunnel_stop(struct tunnel *tunnel);

/* Such as "http://127.0.0.1:34181". */
const char *tunnel_origin(const struct tunnel *tunnel);

/* How many connections came. */
int tunnel_connections(struct tunnel *tunnel);

/* What a connection asked the proxy itself for: its first head. Lives as long as the tunnel. */
const char *tunnel_request(struct tunnel *tunnel, int number);

/* Whether these bytes occurred in what any client sent, to the proxy or through it. */
bool tunnel_saw(struct tunnel *tunnel, const char *text);

#endif
