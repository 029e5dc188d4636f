// tern unblock.
#include "tools/tern/unblock.h"

#include "libconf/network.h"
#include "libipc/connection.h"
#include "libipc/unblock.h"
#include "libutil/text.h"
#include "tools/tern/start.h"

#include <cerrno>
#include <sysexits.h>
#include <unistd.h>

namespace tern {

namespace {

constexpr auto anvil_timeout = std::chrono::seconds(30);

util::Result<ipc::ForgetFailures> parse_unblock(std::string_view whom)
{
    ipc::ForgetFailures wanted;
    if (whom == "all") {
        wanted.all = true;
    } else if (whom.find('@') != std::string_view::npos) {
        wanted.account = util::lower(whom);
    } else {
        auto network = conf::Network::parse(whom);
        if (!network.ok())
            return util::invalid(
                util::concat(util::printable(whom, 100), " is no account (NAME@DOMAIN), no network, and not the word all"));
        wanted.network = network->to_text();
    }
    return wanted;
}

util::Result<std::uint64_t> forget(const Instance& instance, const ipc::ForgetFailures& wanted)
{
    auto anvil = TRY(ipc::Connection::connect(instance.private_socket("anvil"), anvil_timeout));
    auto answer = TRY(anvil.call<ipc::FailuresForgotten>(wanted));
    return answer.count;
}

}  // namespace

int unblock(const Instance& instance, int count, char** words)
{
    if (count != 2)
        return complain(EX_USAGE, "usage: tern [-c /config/directory] unblock network|account|all");
    auto wanted = parse_unblock(words[1]);
    if (!wanted)
        return complain(EX_USAGE, wanted.error().text);
    auto running = instance.running();
    if (running && !*running)
        return complain(1, "the mail system is not running");
    auto forgotten = forget(instance, *wanted);
    if (!forgotten)
        return complain(forgotten.error().code == EACCES || forgotten.error().code == EPERM ? EX_NOPERM : EX_TEMPFAIL,
                        forgotten.error().text);
    if (*forgotten == 0)
        return complain(EX_UNAVAILABLE, util::concat("no failed log-ins are counted for ", util::printable(words[1], 100)));
    return complain(EX_OK, util::concat("failed log-ins of ", *forgotten,
                                        *forgotten == 1 ? " network or account" : " networks and accounts", " are forgotten"));
}

}  // namespace tern
