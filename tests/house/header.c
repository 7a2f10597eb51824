/* Uses each public struct as an application does. Compiled as C and, through header.cpp, as C++. */
#include <nexauth/curl.h>
#include <nexauth/nexauth.h>

int main(void)
{
    struct nexauth_error error = {0};
    struct nexauth_session_options session = {0};
    struct nexauth_get_options get = {0};
    struct nexauth_saved_token saved = {0};
    struct nexauth_event event = {0};
    struct nexauth_stats stats = {0};
    struct nexauth_nex_user_options nex_user = {0};
    struct nexauth_nex_controller_options nex_controller = {0};
    struct nexauth_quantoz_options quantoz = {0};
    struct nexauth_code_meaning meaning = {0};
    struct nexauth_limit limit = {0};
    struct nexauth_limit_state limit_state = {0};
    struct nexauth_nexusguard_app_options nexusguard_app = {0};
    struct nexauth_nexusguard_user_options nexusguard_user = {0};
    struct nexauth_static_options fixed = {0};
    struct nexauth_permit_options permit = {0};
    struct nexauth_answer answer = {0};
    struct nexauth_perform_options perform = {0};

    nexusguard_app.meanings = &meaning;
    session.limits = &limit;
    return error.status != NEXAUTH_OK || session.limits->requests || limit_state.used || get.timeout_ms ||
           saved.lifetime_s || event.kind || stats.last_error.status != NEXAUTH_OK || nex_user.scope ||
           nex_controller.controller_id || quantoz.environment || nexusguard_app.meanings->code ||
           nexusguard_user.xspe_callback || fixed.expires_at || permit.url || answer.http_status || perform.rewind;
}
