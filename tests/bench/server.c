#include "bench/server.h"

#include <curl/curl.h>

#include <stdlib.h>

curl_version_info_data *__real_curl_version_info(CURLversion age); /* NOLINT(bugprone-reserved-identifier) */
curl_version_info_data *__wrap_curl_version_info(CURLversion age); /* NOLINT(bugprone-reserved-identifier) */

static const char *value_of(const char *name)
{
    const char *value = getenv(name);

    return value ? value : "";
}

struct bench_server bench_server(void)
{
    return (struct bench_server){.http = value_of("BENCH_HTTP"),
                                 .https = value_of("BENCH_HTTPS"),
                                 .h2 = value_of("BENCH_H2"),
                                 .dropping = value_of("BENCH_DROPPING"),
                                 .ca_file = value_of("BENCH_CA_FILE"),
                                 .ca_path = value_of("BENCH_CA_PATH")};
}

/* Stands before libcurl's own: what the library takes for the system's CAs has to know the server's. */
curl_version_info_data *__wrap_curl_version_info(CURLversion age)
{
    static curl_version_info_data changed;

    changed = *__real_curl_version_info(age);
    if (getenv("BENCH_CA_PATH"))
        changed.capath = getenv("BENCH_CA_PATH");
    return &changed;
}
