#include "libmail/dsn_status.h"

#include "libutil/text.h"

namespace mail {

namespace {

// The length of a number of RFC 3463 §2 at the start of `text`, or 0.
std::size_t number_length(std::string_view text)
{
    std::size_t length = 0;
    while (length < text.size() && util::is_digit(text[length]))
        ++length;
    return length > 3 || (length > 1 && text[0] == '0') ? 0 : length;
}

// The length of a status code at the start of `text`, or 0.
std::size_t status_length(std::string_view text)
{
    if (text.size() < 5 || (text[0] != '2' && text[0] != '4' && text[0] != '5') || text[1] != '.')
        return 0;
    std::size_t subject = number_length(text.substr(2));
    std::size_t dot = 2 + subject;
    if (subject == 0 || dot >= text.size() || text[dot] != '.')
        return 0;
    std::size_t detail = number_length(text.substr(dot + 1));
    return detail == 0 ? 0 : dot + 1 + detail;
}

struct Meaning {
    std::string_view code;  // without the class
    std::string_view text;
};

// RFC 3463 §3, RFC 7505, RFC 7372, RFC 6710 and others of the IANA registry.
constexpr Meaning meanings[] = {
    {"1.0", "Other address status"},
    {"1.1", "Bad destination mailbox address"},
    {"1.2", "Bad destination system address"},
    {"1.3", "Bad destination mailbox address syntax"},
    {"1.4", "Destination mailbox address ambiguous"},
    {"1.5", "Destination address valid"},
    {"1.6", "Destination mailbox has moved, no forwarding address"},
    {"1.7", "Bad sender's mailbox address syntax"},
    {"1.8", "Bad sender's system address"},
    {"1.10", "Recipient address has null MX"},
    {"2.0", "Other or undefined mailbox status"},
    {"2.1", "Mailbox disabled, not accepting messages"},
    {"2.2", "Mailbox full"},
    {"2.3", "Message length exceeds administrative limit"},
    {"2.4", "Mailing list expansion problem"},
    {"3.0", "Other or undefined mail system status"},
    {"3.1", "Mail system full"},
    {"3.2", "System not accepting network messages"},
    {"3.3", "System not capable of selected features"},
    {"3.4", "Message too big for system"},
    {"3.5", "System incorrectly configured"},
    {"4.0", "Other or undefined network or routing status"},
    {"4.1", "No answer from host"},
    {"4.2", "Bad connection"},
    {"4.3", "Directory server failure"},
    {"4.4", "Unable to route"},
    {"4.5", "Mail system congestion"},
    {"4.6", "Routing loop detected"},
    {"4.7", "Delivery time expired"},
    {"5.0", "Other or undefined protocol status"},
    {"5.1", "Invalid command"},
    {"5.2", "Syntax error"},
    {"5.3", "Too many recipients"},
    {"5.4", "Invalid command arguments"},
    {"5.5", "Wrong protocol version"},
    {"6.0", "Other or undefined media error"},
    {"6.1", "Media not supported"},
    {"6.2", "Conversion required and prohibited"},
    {"6.3", "Conversion required but not supported"},
    {"6.4", "Conversion with loss performed"},
    {"6.5", "Conversion failed"},
    {"6.7", "Non-ASCII addresses not permitted for that sender or recipient"},
    {"6.9", "UTF-8 header message cannot be transferred"},
    {"7.0", "Other or undefined security status"},
    {"7.1", "Delivery not authorized, message refused"},
    {"7.2", "Mailing list expansion prohibited"},
    {"7.3", "Security conversion required but not possible"},
    {"7.4", "Security features not supported"},
    {"7.5", "Cryptographic failure"},
    {"7.6", "Cryptographic algorithm not supported"},
    {"7.7", "Message integrity failure"},
    {"7.8", "Authentication credentials invalid"},
    {"7.20", "No passing DKIM signature found"},
    {"7.23", "SPF validation failed"},
    {"7.24", "SPF validation error"},
    {"7.25", "Reverse DNS validation failed"},
    {"7.26", "Multiple authentication checks failed"},
};

}  // namespace

bool is_dsn_status(std::string_view text)
{
    return !text.empty() && status_length(text) == text.size();
}

std::string_view leading_dsn_status(std::string_view text, int code)
{
    std::size_t length = status_length(text);
    if (length == 0 || (length < text.size() && !util::is_blank(text[length])))
        return {};
    if (code != 0 && text[0] - '0' != code / 100)
        return {};
    return text.substr(0, length);
}

std::string with_class(std::string_view status, int code)
{
    std::string changed(status);
    if (!changed.empty())
        changed[0] = char('0' + code / 100 % 10);
    return changed;
}

std::string default_dsn_status(int code)
{
    int status_class = code / 100;
    return util::concat(status_class == 2 || status_class == 5 ? status_class : 4, ".0.0");
}

std::string_view describe(std::string_view status)
{
    if (!is_dsn_status(status))
        return {};
    for (const Meaning& meaning : meanings)
        if (meaning.code == status.substr(2))
            return meaning.text;
    return {};
}

}  // namespace mail
