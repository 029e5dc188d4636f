// The log line that rulings share.
#include "smtpd/rules.h"

#include "libutil/text.h"

namespace smtpd {

std::string log_line(const RequestView& request, std::string_view word, std::string_view text)
{
    std::string line = util::concat(request.log_id, ": ", word, ": ", request.where, " from ",
                                    request.client->log_name(), ": ", text, "; ");
    if (request.sender)
        util::append(line, "from=<", mail::to_text(*request.sender), "> ");
    if (request.recipient)
        util::append(line, "to=<", mail::to_text(*request.recipient), "> ");
    util::append(line, "proto=", request.extended ? "ESMTP" : "SMTP");
    if (request.helo_given)
        util::append(line, " helo=<", util::printable(request.helo, 255), '>');
    if (!request.sasl_username.empty())
        util::append(line, " sasl_username=<", util::printable(request.sasl_username, 200), '>');
    return line;
}

}  // namespace smtpd
