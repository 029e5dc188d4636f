// Old mail goes, as mailbox_expire says.
#include "tools/ternbox/expire.h"

#include "libconf/common.h"
#include "libipc/connection.h"
#include "libipc/maildrop_config.h"
#include "libstore/expiry.h"
#include "libutil/log.h"
#include "libutil/standard_fds.h"
#include "libutil/text.h"

#include <sysexits.h>

#include <ctime>

namespace ternbox {

namespace {

constexpr auto expiry_time = std::chrono::minutes(10);
constexpr std::size_t messages_at_once = 500;

void tell(bool json, std::uint64_t messages, std::uint64_t bytes)
{
    util::print_out(json ? util::concat("{\"messages\":", messages, ",\"bytes\":", bytes, "}\n")
                         : util::concat(messages, messages == 1 ? " message, " : " messages, ", bytes, " bytes\n"));
}

// Nothing: usher is not there, or not for the caller.
util::Result<std::optional<ipc::MailExpired>> ask_usher(const std::string& queue_directory, const std::string& account)
{
    std::optional<ipc::MailExpired> none;
    auto usher = ipc::Connection::connect(queue_directory + "/private/usher", expiry_time);
    if (!usher.ok() || !usher->send(ipc::ExpireMail{.account = account}).ok())
        return none;
    auto answer = usher->receive();
    if (!answer.ok())
        return none;
    if (auto failed = ipc::decode<ipc::MailboxFailed>(*answer); failed.ok())
        return failed->permanent ? util::permanent(failed->text) : util::temporary(failed->text);
    auto expired = TRY(ipc::decode<ipc::MailExpired>(*answer));
    if (!expired.failure.empty())
        return util::temporary(util::printable(expired.failure, 200));
    return std::optional(std::move(expired));
}

util::Result<void> expire_here(const User& user, const std::vector<ipc::ExpiryRule>& wanted, const Patience& patience,
                               bool json)
{
    store::Options options;
    options.create = false;
    options.undelete_time = util::Duration::max();
    options.undelete_limit = UINT64_MAX;
    auto store = TRY(store::Store::open(user.directory, options, patience.wait));
    std::vector<store::ExpiryRule> rules;
    for (const auto& rule : wanted)
        rules.push_back({rule.mailbox, rule.seconds});
    store::Expiry expiry(*store, std::move(rules), std::time(nullptr));
    while (!TRY(expiry.step(messages_at_once))) {
    }
    TRY(store->sync());
    tell(json, expiry.messages(), expiry.bytes());
    return {};
}

int status_of(const util::Error& error)
{
    util::log::error(error.text, error.kind == util::Kind::Temporary ? " (option -t tells it to leave)" : "");
    return error.kind == util::Kind::Temporary ? EX_TEMPFAIL : EX_UNAVAILABLE;
}

}  // namespace

util::Result<int> expire(const std::string& config_directory, const User& user, const std::string& account,
                         const Patience& patience, bool json)
{
    conf::Common common;
    ipc::MaildropConfig maildrop;
    conf::Problems problems;
    conf::MainCf::load(config_directory, problems).fill({&common, &maildrop}, problems);
    TRY(problems.result());
    if (maildrop.expiry->empty())
        return util::not_found("mailbox_expire names no mailbox");
    if (!account.starts_with('/')) {
        if (auto answer = TRY(ask_usher(*common.queue_directory, account))) {
            tell(json, answer->messages, answer->bytes);
            return 0;
        }
    }
    return run_as(
        user,
        [&](int) {
            auto done = expire_here(user, *maildrop.expiry, patience, json);
            return done.ok() ? 0 : status_of(done.error());
        },
        [](int) { return util::Result<void>(); });
}

}  // namespace ternbox
