/*
 * A program in C++ that holds each kind of handle as C++ does: each frees what it has, in whatever order objects go,
 * also when an exception passes by. Against the emulator, in every way that there is to get a token.
 */
#include <nexauth/curl.h>
#include <nexauth/nexauth.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

extern "C" {
#include "support/emulator.h"
}

namespace
{

template <typename T, void (*End)(T *)> struct Ender
{
    void operator()(T *handle) const
    {
        End(handle);
    }
};

template <typename T, void (*End)(T *)> using Handle = std::unique_ptr<T, Ender<T, End>>;

using Session = Handle<nexauth_session, nexauth_session_free>;
using Source = Handle<nexauth_source, nexauth_source_free>;
using Token = Handle<nexauth_token, nexauth_token_unref>;
using Call = Handle<nexauth_call, nexauth_call_unref>;
using Permit = Handle<nexauth_permit, nexauth_permit_free>;
using Authorization = Handle<nexauth_authorization, nexauth_authorization_free>;
using Easy = Handle<CURL, curl_easy_cleanup>;

class Failure : public std::runtime_error
{
  public:
    explicit Failure(const nexauth_error &error)
        : std::runtime_error(std::string(nexauth_status_name(error.status)) + ": " + error.message)
    {
    }
};

/* What a function of the library writes to `out`, or its error as an exception. */
template <typename H, typename F> H make(F function)
{
    typename H::pointer out = nullptr;
    nexauth_error error = {};

    if (function(&out, &error) != NEXAUTH_OK)
        throw Failure(error);
    return H(out);
}

void require(bool truth, const char *words)
{
    if (!truth)
        throw std::logic_error(words);
}

Session new_session(const emulator &service)
{
    nexauth_session_options options = {};

    options.ca_file = service.ca_file;
    return make<Session>([&](auto out, auto error) { return nexauth_session_new(&options, out, error); });
}

Source new_user(const Session &session, const emulator &service)
{
    nexauth_nex_user_options options = {};
    const std::string secret("abc123"); /* goes before the source does */

    options.client_id = "mycompany";
    options.client_secret = secret.c_str();
    options.username = "myname";
    options.password = "xyz456";
    options.origin = service.nex_https;
    return make<Source>(
        [&](auto out, auto error) { return nexauth_source_new_nex_user(session.get(), &options, out, error); });
}

Source new_web_user(const Session &session, const emulator &service)
{
    nexauth_nexusguard_user_options options = {};

    options.app_id = "app";
    options.secret = "secret";
    options.redirect_uri = "https://app.example.com/callback";
    options.customer_id = "C-1001";
    options.xspe = "portal";
    options.origin = service.nexusguard_https;
    options.web_handler = 1;
    return make<Source>(
        [&](auto out, auto error) { return nexauth_source_new_nexusguard_user(session.get(), &options, out, error); });
}

Token get(const Source &source)
{
    return make<Token>(
        [&](auto out, auto error) { return nexauth_source_get_token(source.get(), nullptr, out, error); });
}

/* The closure of C++ that a callback of C leads to. */
using Told = std::function<void(nexauth_token *, const nexauth_error *)>;

extern "C" void tell(void *context, nexauth_token *token, const nexauth_error *error)
{
    (*static_cast<Told *>(context))(token, error);
}

void tokens_outlive_what_they_came_from(const emulator &service)
{
    Token token;

    {
        const Session session = new_session(service);

        token = get(new_user(session, service));
    }
    require(std::string(nexauth_token_header(token.get())).rfind("Authorization: Bearer ", 0) == 0, "a header");
}

void calls_are_told_to_closures(const emulator &service)
{
    const Session session = new_session(service);
    const Source source = new_user(session, service);
    std::vector<Token> tokens;
    Told told = [&](nexauth_token *token, const nexauth_error *) { tokens.emplace_back(nexauth_token_ref(token)); };
    const Call call = make<Call>([&](auto out, auto error) {
        return nexauth_source_start(source.get(), nullptr, tell, &told, out, error);
    });

    while (tokens.empty())
        require(nexauth_session_poll(session.get(), 1000, nullptr) == NEXAUTH_OK, "a poll");
    require(tokens.front() != nullptr, "a token");
}

void sources_may_go_before_their_calls(const emulator &service)
{
    int runs = 0; /* nothing is thrown through the library */
    Told told = [&](nexauth_token *token, const nexauth_error *error) {
        runs += !token && error->status == NEXAUTH_CANCELED ? 1 : 100;
    };
    Call call;
    Session session = new_session(service);
    Source source = new_user(session, service);

    call = make<Call>([&](auto out, auto error) {
        return nexauth_source_start(source.get(), nullptr, tell, &told, out, error);
    });
    source.reset();
    session.reset();
    require(runs == 1, "one callback of a call that was canceled");
}

Permit begin(const Source &source, const std::string &url)
{
    nexauth_permit_options options = {};

    options.url = url.c_str();
    return make<Permit>(
        [&](auto out, auto error) { return nexauth_permit_begin(source.get(), &options, out, error); });
}

void permits_and_transfers_reach_the_api(const emulator &service)
{
    const Session session = new_session(service);
    const Source source = new_user(session, service);
    const std::string url = std::string(service.nex_https) + "/v1.0/Controller";
    const Permit permit = begin(source, url);
    const Easy easy(curl_easy_init());
    nexauth_perform_options options = {};
    nexauth_answer answer = {};
    nexauth_error error = {};

    answer.http_status = 200;
    require(nexauth_permit_url(permit.get()) == url, "the URL");
    require(nexauth_permit_end(permit.get(), &answer, &error) == NEXAUTH_OK, "an end");
    options.url = url.c_str();
    curl_easy_setopt(easy.get(), CURLOPT_CAINFO, service.ca_file);
    curl_easy_setopt(easy.get(), CURLOPT_NOBODY, 1L);
    nexauth_perform(source.get(), easy.get(), &options, &error);
    require(error.http_status != 0 || error.status == NEXAUTH_OK, error.message);
}

void authorizations_are_handles_too(const emulator &service)
{
    const Session session = new_session(service);
    const Source source = new_web_user(session, service);
    const Authorization authorization =
        make<Authorization>([&](auto out, auto error) { return nexauth_source_authorize(source.get(), out, error); });

    require(std::string(nexauth_authorization_state(authorization.get())).size() == 32, "a state");
}

/* All handles are in scope when an error becomes an exception. */
void exceptions_free_what_they_pass(const emulator &service)
{
    const Session session = new_session(service);
    const Source source = new_user(session, service);
    const Token token = get(source);
    bool caught = false;

    try {
        const Permit held = begin(source, std::string(service.nex_https) + "/v1.0/Controller");
        const Permit none = begin(source, "https://elsewhere.example.com/");
    } catch (const Failure &failure) {
        caught = std::string(failure.what()).rfind("INVALID", 0) == 0;
    }
    require(caught, "an exception");
}

} // namespace

int main()
{
    static const std::array<std::pair<const char *, void (*)(const emulator &)>, 6> tests = {{
        {"tokens outlive what they came from", tokens_outlive_what_they_came_from},
        {"calls are told to closures", calls_are_told_to_closures},
        {"sources may go before their calls", sources_may_go_before_their_calls},
        {"permits and transfers reach the API", permits_and_transfers_reach_the_api},
        {"authorizations are handles too", authorizations_are_handles_too},
        {"exceptions free what they pass", exceptions_free_what_they_pass},
    }};
    emulator service = {};
    int failed = 0;

    if (emulator_start(&service, nullptr))
        return 2;
    for (const auto &test : tests) {
        try {
            test.second(service);
        } catch (const std::exception &wrong) {
            std::fprintf(stderr, "%s: %s\n", test.first, wrong.what());
            failed++;
        }
    }
    return emulator_stop(&service) || failed ? 1 : 0;
}
