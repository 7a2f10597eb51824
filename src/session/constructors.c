/* The public constructors of sources: each names its provider. */
#include "providers/providers.h"
#include "session/session.h"

nexauth_status nexauth_source_new_nex_user(nexauth_session *session, const struct nexauth_nex_user_options *options,
                                           nexauth_source **out, struct nexauth_error *error)
{
    return nx_source_new(session, &nx_nex_user, options, out, error);
}

nexauth_status nexauth_source_new_nex_controller(nexauth_session *session,
                                                 const struct nexauth_nex_controller_options *options,
                                                 nexauth_source **out, struct nexauth_error *error)
{
    return nx_source_new(session, &nx_nex_controller, options, out, error);
}

nexauth_status nexauth_source_new_quantoz(nexauth_session *session, const struct nexauth_quantoz_options *options,
                                          nexauth_source **out, struct nexauth_error *error)
{
    return nx_source_new(session, &nx_quantoz, options, out, error);
}

nexauth_status nexauth_source_new_nexusguard_app(nexauth_session *session,
                                                 const struct nexauth_nexusguard_app_options *options,
                                                 nexauth_source **out, struct nexauth_error *error)
{
    return nx_source_new(session, &nx_nexusguard_app, options, out, error);
}

nexauth_status nexauth_source_new_nexusguard_user(nexauth_session *session,
                                                  const struct nexauth_nexusguard_user_options *options,
                                                  nexauth_source **out, struct nexauth_error *error)
{
    return nx_source_new(session, &nx_nexusguard_user, options, out, error);
}

nexauth_status nexauth_source_new_static(nexauth_session *session, const struct nexauth_static_options *options,
                                         nexauth_source **out, struct nexauth_error *error)
{
    return nx_source_new(session, &nx_static, options, out, error);
}
