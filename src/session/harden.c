/* The hardened mode: what the libraries below free is wiped. */
#include "core/error.h"
#include "core/json.h"
#include "core/xml.h"
#include "io/curl_memory.h"
#include "io/lock.h"

static nexauth_status harden(struct nexauth_error *error)
{
    const nexauth_status status = nx_curl_wipe_memory(error);

    if (status)
        return status;
    if (!nx_json_wipe_memory())
        return nx_fail(error, NEXAUTH_INVALID, "cJSON does not take an allocator");
    if (!nx_xml_wipe_memory())
        return nx_fail(error, NEXAUTH_INVALID, "libxml2 does not take an allocator");
    return NEXAUTH_OK;
}

nexauth_status nexauth_process_harden(struct nexauth_error *error)
{
    static struct nx_lock lock = NX_LOCK_INITIALIZER;
    static bool hardened;
    nexauth_status status = NEXAUTH_OK;

    nx_lock_take(&lock);
    if (!hardened)
        status = harden(error);
    hardened = status == NEXAUTH_OK;
    nx_lock_give(&lock);
    return status;
}
