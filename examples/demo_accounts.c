/* The accounts that nexauth-emulator has built in. An application has its own, and names no origin. */
#include "demo.h"

struct nexauth_nex_user_options demo_nex_user(const struct demo *demo)
{
    return (struct nexauth_nex_user_options){
        .client_id = "mycompany",
        .client_secret = "abc123",
        .username = "myname",
        .password = "xyz456",
        .origin = demo->emulator.nex,
    };
}

struct nexauth_nex_controller_options demo_nex_controller(const struct demo *demo)
{
    return (struct nexauth_nex_controller_options){
        .client_id = "5a5b",
        .client_secret = "abc123",
        .controller_id = "111aa",
        .controller_secret = "456",
        .origin = demo->emulator.nex,
    };
}

struct nexauth_quantoz_options demo_quantoz_test(const struct demo *demo)
{
    return (struct nexauth_quantoz_options){
        .client_id = "nexus-test-client",
        .client_secret = "p&ss w+rd%=1",
        .environment = NEXAUTH_QUANTOZ_TEST,
        .origin = demo->emulator.quantoz_test,
        .api_origins = demo->emulator.quantoz_test_api,
    };
}

struct nexauth_quantoz_options demo_quantoz_production(const struct demo *demo)
{
    return (struct nexauth_quantoz_options){
        .client_id = "nexus-production-client",
        .client_secret = "Pr0duct!on s3cret",
        .environment = NEXAUTH_QUANTOZ_PRODUCTION,
        .origin = demo->emulator.quantoz_production,
    };
}

struct nexauth_nexusguard_app_options demo_nexusguard_app(const struct demo *demo)
{
    return (struct nexauth_nexusguard_app_options){
        .app_id = "d7690800dc5d4cf885fac35fcb0c8184",
        .secret = "bf20940d16578e18765eb9f93b1827e9",
        .origin = demo->emulator.nexusguard,
    };
}

struct nexauth_nexusguard_user_options demo_nexusguard_user(const struct demo *demo)
{
    return (struct nexauth_nexusguard_user_options){
        .app_id = "d7690800dc5d4cf885fac35fcb0c8184",
        .secret = "bf20940d16578e18765eb9f93b1827e9",
        .redirect_uri = "https://app.example.com/nexusguard/callback",
        .customer_id = "C-1001",
        .xspe = "spe-portal",
        .origin = demo->emulator.nexusguard,
    };
}

struct nexauth_nexusguard_user_options demo_nexusguard_saved_user(const struct demo *demo)
{
    return (struct nexauth_nexusguard_user_options){
        .app_id = "d7690800dc5d4cf885fac35fcb0c8184",
        .refresh_token = demo->refresh_token,
        .origin = demo->emulator.nexusguard,
    };
}
