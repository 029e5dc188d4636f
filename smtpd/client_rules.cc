// What lists and tables say of a client and its commands, apart from restrictions.
#include "smtpd/restrictions.h"

#include "libconf/words.h"
#include "libutil/log.h"

namespace smtpd {

namespace log = util::log;

bool Restrictions::has(Privilege privilege, const Client& client)
{
    PrivilegedClients& list = privileged_[std::size_t(privilege)];
    auto answer = list.clients.contains(client.name, client.address);
    if (!answer.ok())
        log::warning(list.parameter, ": ", answer.error().text);
    return answer.ok() && *answer;
}

util::Result<std::string> Restrictions::filter_command(std::string line)
{
    if (command_filter_.empty())
        return line;
    auto answer = TRY(command_filter_.lookup(line));
    if (!answer)
        return line;
    if (answer->size() > *config_.line_length_limit)
        return util::permanent("an answer is longer than line_length_limit");
    log::verbose("smtpd_command_filter: ", util::printable(line, 200), " becomes ", util::printable(*answer, 200));
    return std::move(*answer);
}

// A table that cannot be read discards nothing that was not discarded anyway.
std::vector<std::string> Restrictions::discarded_keywords(const Client& client)
{
    if (discarded_keywords_.empty())
        return *config_.discard_ehlo_keywords;
    auto answer = discarded_keywords_.lookup(client.address);
    auto words = answer.ok() && *answer ? conf::parse_words(**answer)
                                        : util::Result<std::vector<std::string>>(*config_.discard_ehlo_keywords);
    if (!answer.ok() || !words.ok())
        log::warning("smtpd_discard_ehlo_keyword_address_maps: ", answer.ok() ? words.error().text : answer.error().text);
    return words.ok() ? words.take() : *config_.discard_ehlo_keywords;
}

std::string Restrictions::footer(std::string_view reply)
{
    auto answer = footers_.lookup(reply);
    if (!answer.ok())
        log::warning("smtpd_reject_footer_maps: ", answer.error().text);
    return answer.ok() && *answer ? std::move(**answer) : *config_.reject_footer;
}

}  // namespace smtpd
