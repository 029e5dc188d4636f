#include "smtp/session.h"

#include "libutil/random.h"
#include "smtp/authentication.h"

#include <algorithm>

namespace smtp {

namespace {

using End = Transaction::End;

}  // namespace

Session::Session(const SessionSite& site, Host host, net::Stream stream, trust::TlsDecision decision)
    : site_(site), dialog_(std::move(stream), std::move(host)), decision_(std::move(decision)), began_(util::now())
{
    CHECK(site_.tls || !decision_.encrypts());
    dialog_.set_stop(site_.stopping, site_.stop_patience);
    dialog_.filter_replies(site_.reply_filter);
}

util::Result<mail::Reply> Session::ask(std::string_view command, util::Duration timeout)
{
    dialog_.send(command);
    return dialog_.reply(timeout);
}

std::optional<Failure> Session::begin(const Purpose& purpose)
{
    nexthop_ = purpose.nexthop;
    dialog_.set_end(purpose.end);
    auto failed = open(purpose);
    note_result();
    return failed;
}

std::optional<Failure> Session::open(const Purpose& purpose)
{
    if (decision_.wrappermode && decision_.encrypts())
        if (auto failed = shake_hands(purpose))
            return failed;
    if (auto failed = greeting(purpose.destination))
        return failed;
    if (auto failed = hello(purpose.destination))
        return failed;
    if (auto failed = start_tls(purpose))
        return failed;
    if (auto failed = unmet_wish())
        return failed;
    return login(purpose);
}

// A server with our name: mail would come back.
std::optional<Failure> Session::loops(std::string_view name, std::string_view destination) const
{
    if (!util::equal_nocase(name, site_.myhostname) || site_.config.lmtp())
        return {};
    if (dialog_.host().port != site_.loop_port || dialog_.host().is_path)
        return {};
    return dialog_.unfit(ipc::Disposition::Bounced, "5.4.6", util::concat("mail for ", destination, " loops back to myself"));
}

std::optional<Failure> Session::greeting(std::string_view destination)
{
    const Config& config = site_.config;
    auto reply = dialog_.reply(*config.helo_timeout);
    if (!reply)
        return dialog_.lost(Step::Greeting, reply.error());
    if (reply->code != 220) {
        // RFC 5321 §3.1: it may be this host only.
        return *config.skip_5xx_greeting ? dialog_.refused_now(Step::Greeting, *reply)
                                         : dialog_.refused(Step::Greeting, *reply);
    }
    auto words = util::split_words(reply->text, " \t\n");
    esmtp_ = std::ranges::any_of(words, [](std::string_view word) { return util::equal_nocase(word, "ESMTP"); });
    return words.empty() ? std::nullopt : loops(words.front(), destination);
}

std::optional<Failure> Session::hello(std::string_view destination)
{
    const Config& config = site_.config;
    bool extended = config.lmtp() || (!*config.never_send_ehlo && (*config.always_send_ehlo || esmtp_));
    if (!extended)
        return helo();
    Step step = config.lmtp() ? Step::Lhlo : Step::Ehlo;
    auto reply = ask(util::concat(command_of(step), ' ', *config.helo_name), *config.helo_timeout);
    if (!reply)
        return dialog_.lost(step, reply.error());
    if (reply->code / 100 == 2) {
        server_ = mail::parse_ehlo(*reply, site_.discard ? site_.discard(dialog_.host()) : std::vector<std::string>());
        server_.chunking = server_.chunking && !avoids_bdat_;
        server_.requiretls = server_.requiretls && tls_ && *config.requiretls_enable;
        return loops(server_.name, destination);
    }
    // RFC 5321 §3.2: an old server does not know EHLO; 421 and other temporary refusals are not about that.
    if (reply->is_permanent() && !config.lmtp())
        return helo();
    return dialog_.refused(step, *reply);
}

std::optional<Failure> Session::helo()
{
    server_ = {};
    auto reply = ask(util::concat("HELO ", *site_.config.helo_name), *site_.config.helo_timeout);
    if (!reply)
        return dialog_.lost(Step::Helo, reply.error());
    if (reply->code / 100 != 2)
        return dialog_.refused(Step::Helo, *reply);
    return {};
}

std::optional<Failure> Session::login(const Purpose& purpose)
{
    if (!site_.credentials || !server_.auth)
        return {};
    auto fail = [this](std::string_view dsn, std::string text) {
        Failure failed = dialog_.unfit(ipc::Disposition::Deferred, dsn, std::move(text));
        failed.site = true;
        return failed;
    };
    auto found = site_.credentials->find(purpose.nexthop, dialog_.host(), purpose.sender);
    if (!found)
        return fail("4.3.0", util::concat("SASL password lookup error: ", found.error().text));
    if (!*found)
        return {};
    auto mechanisms = site_.credentials->choose(server_.mechanisms, safety(), (*found)->is_token);
    if (!mechanisms)
        return fail("4.3.0", mechanisms.error().text);
    constexpr std::size_t nonce_bytes = 18;
    mail::ChannelBinding binding;
    if (tls_)
        binding.exporter = tls_->agreed.exporter;
    binding.plus_offered =
        std::ranges::any_of(server_.mechanisms, [](const std::string& name) { return name.ends_with("-PLUS"); });
    for (const std::string& mechanism : *mechanisms) {
        auto client =
            mail::make_sasl_client(mechanism, **found, binding, util::encode_base64(util::random_string(nonce_bytes)));
        if (!client)
            continue;
        user_ = (*found)->user;
        return authenticate(dialog_, mechanism, *client, *site_.config.helo_timeout, *site_.config.sasl_auth_soft_bounce);
    }
    return fail("4.7.0", util::concat("SASL authentication failed; server ", dialog_.host().label(),
                                      " offered no compatible authentication mechanisms for this type of connection security"));
}

bool Session::fits(std::string_view sender) const
{
    if (!site_.credentials || !server_.auth)
        return true;
    auto found = site_.credentials->find(nexthop_, dialog_.host(), sender);
    return found.ok() && (*found ? (*found)->user : std::string()) == user_;
}

void Session::deliver(const Letter& letter, std::vector<Target*> targets)
{
    dialog_.set_end(letter.end);
    bool used = uses_ > 0;
    ++uses_;
    while (!targets.empty() && usable()) {
        Transaction transaction(dialog_, server_, site_.config, letter, targets);
        end_ = transaction.run(end_ == End::NeedsReset);
        misses_bdat_ = transaction.misses_bdat();
        if (misses_bdat_)
            return;
        if (used && !transaction.begun()) {
            for (Target* target : targets)
                target->status.reset();
            return;
        }
        used = false;
        // What was too much for one transaction, while it took others.
        std::erase_if(targets, [](const Target* target) { return !target->over_limit; });
    }
}

void Session::quit()
{
    if (!usable())
        return;
    dialog_.stream().set_timeout(*site_.config.quit_timeout);
    dialog_.send("QUIT");
    if (!*site_.config.skip_quit_response)
        (void)dialog_.reply(*site_.config.quit_timeout);
    dialog_.stream().close();
    end_ = End::Over;
}

}  // namespace smtp
