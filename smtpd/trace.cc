// The Received: field.
#include "smtpd/trace.h"

#include "libmail/date.h"
#include "libutil/text.h"

#include <ctime>

namespace smtpd {

namespace {

// Minutes east of UTC at this time and place.
std::int16_t zone_minutes(std::int64_t seconds)
{
    std::time_t when = seconds;
    std::tm local{};
    if (!::localtime_r(&when, &local))
        return 0;
    return std::int16_t(local.tm_gmtoff / 60);
}

// What a client said, within a header field: no parentheses, blanks or control bytes that could
// end the comment or the field around it, and no 8-bit text, which only SMTPUTF8 could carry on.
std::string tame(std::string_view text)
{
    std::string result;
    for (char c : text.substr(0, 255)) {
        bool plain = c > ' ' && c != '(' && c != ')' && c != ';' && c != '\\' &&
                     c != '<' && c != '>' && c != '"' && c != 127;
        result += plain ? c : '?';
    }
    return result;
}

}  // namespace

std::string protocol_name(bool extended, bool utf8, bool tls, bool authenticated)
{
    if (!extended)
        return "SMTP";
    return util::concat(utf8 ? "UTF8SMTP" : "ESMTP", tls ? "S" : "", authenticated ? "A" : "");
}

std::string received_field(const TraceFacts& facts, std::string_view queue_id)
{
    std::int64_t seconds = util::unix_seconds(facts.time);
    std::string date = mail::format_date({seconds, zone_minutes(seconds)});
    if (facts.hidden)
        return util::concat("Received: by ", facts.hostname, " (", facts.mail_name, ")\r\n\tid ", queue_id, "; ", date, "\r\n");
    std::string address = facts.client->address;
    if (address.find(':') != std::string::npos)
        address.insert(0, "IPv6:");  // RFC 5321 §4.1.3
    std::string field = util::concat("Received: from ", facts.helo.empty() ? facts.client->name : tame(facts.helo),
                                     " (", facts.client->name, " [", address, "])\r\n");
    if (facts.tls)
        util::append(field, "\t(using ", facts.tls->protocol, " with cipher ", facts.tls->cipher, " (",
                     facts.tls->cipher_bits, '/', facts.tls->algorithm_bits, " bits))\r\n");
    if (!facts.sasl_username.empty())
        util::append(field, "\t(Authenticated sender: ", tame(facts.sasl_username), ")\r\n");
    util::append(field, "\tby ", facts.hostname, " (", facts.mail_name, ") with ", facts.protocol, " id ", queue_id);
    if (!facts.recipient.empty())
        util::append(field, "\r\n\tfor <", facts.recipient, ">");
    util::append(field, "; ", date, "\r\n");
    return field;
}

}  // namespace smtpd
