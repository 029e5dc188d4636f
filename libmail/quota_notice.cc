// The warning about a quota (see quota_notice.h).
#include "libmail/quota_notice.h"

#include "libmail/encoded_word.h"
#include "libutil/text.h"

#include <algorithm>
#include <optional>

namespace mail {

using util::concat;

namespace {

constexpr std::string_view built_in_text =
    "From: Mail Delivery System <MAILER-DAEMON@$hostname>\n"
    "Subject: Your mailbox is $percent% full\n"
    "\n"
    "This is the mail system at $hostname.\n"
    "\n"
    "The mailbox $account holds $used of $limit ($percent%).\n"
    "\n"
    "When it is full, mail for you goes back to its senders. Please delete\n"
    "what you no longer need: big messages first, and empty the trash.\n";

constexpr std::string_view own_fields[] = {"Date", "Message-ID", "To", "Auto-Submitted", "MIME-Version"};

bool is_field_name(std::string_view name)
{
    return !name.empty() && std::ranges::all_of(name, [](char c) { return c > ' ' && c < 127; });
}

bool is_ours(std::string_view name)
{
    return util::starts_with_nocase(name, "Content-") ||
           std::ranges::any_of(own_fields, [&](std::string_view own) { return util::equal_nocase(own, name); });
}

bool is_plain(std::string_view text)
{
    return std::ranges::all_of(
        text, [](char c) { return static_cast<unsigned char>(c) >= ' ' && static_cast<unsigned char>(c) < 127; });
}

// Of "Name <address>" the name alone can be encoded (RFC 2047 §5).
std::string encoded(const std::string& value)
{
    if (is_plain(value))
        return value;
    std::size_t address = value.ends_with('>') ? value.rfind('<') : value.npos;
    if (address == value.npos)
        return encode_header_text(value);
    return concat(encode_header_text(util::trim(std::string_view(value).substr(0, address))), ' ', value.substr(address));
}

std::string amount(bool storage, std::uint64_t value)
{
    if (!storage)
        return concat(value, value == 1 ? " message" : " messages");
    constexpr std::string_view units[] = {"KB", "MB", "GB", "TB"};
    std::size_t unit = 0;
    std::uint64_t tenths = value * 10 / 1024;
    while (tenths >= 10'240 && unit + 1 < std::size(units)) {
        tenths /= 1024;
        ++unit;
    }
    return concat(tenths / 10, '.', tenths % 10, ' ', units[unit]);
}

std::optional<std::string> value_of(std::string_view name, const QuotaFacts& facts)
{
    if (name == "account")
        return facts.account;
    if (name == "domain")
        return facts.account.substr(facts.account.rfind('@') + 1);
    if (name == "hostname")
        return facts.hostname;
    if (name == "percent")
        return concat(facts.percent);
    if (name == "used")
        return amount(facts.storage, facts.used);
    if (name == "limit")
        return amount(facts.storage, facts.limit);
    if (name == "resource")
        return std::string(facts.storage ? "storage" : "messages");
    return std::nullopt;
}

// The name at the front of what stands behind a dollar, and how long it is there.
std::pair<std::string_view, std::size_t> name_at(std::string_view text)
{
    if (text.starts_with('{')) {
        std::size_t end = text.find('}');
        return end == text.npos ? std::pair(std::string_view(), std::size_t(0)) : std::pair(text.substr(1, end - 1), end + 1);
    }
    std::size_t end = 0;
    while (end < text.size() && text[end] >= 'a' && text[end] <= 'z')
        ++end;
    return {text.substr(0, end), end};
}

std::string expand(std::string_view text, const QuotaFacts& facts)
{
    std::string out;
    while (!text.empty()) {
        std::size_t dollar = std::min(text.find('$'), text.size());
        out += text.substr(0, dollar);
        text.remove_prefix(dollar);
        if (text.empty())
            break;
        text.remove_prefix(1);
        if (text.starts_with('$')) {
            out += '$';
            text.remove_prefix(1);
            continue;
        }
        auto [name, length] = name_at(text);
        auto value = value_of(name, facts);
        // An account's name may have bytes that a header field cannot hold.
        out += value ? util::printable(*value, 320) : concat('$', text.substr(0, length));
        text.remove_prefix(length);
    }
    return out;
}

// The names in a text that mean nothing.
std::string unknown_name(std::string_view text)
{
    QuotaFacts none;
    for (std::size_t at = text.find('$'); at != text.npos && at + 1 < text.size(); at = text.find('$', at + 1)) {
        if (text[at + 1] == '$') {
            ++at;
            continue;
        }
        auto name = name_at(text.substr(at + 1)).first;
        if (!value_of(name, none))
            return std::string(name);
    }
    return {};
}

}  // namespace

util::Result<QuotaNotice> QuotaNotice::parse(std::string_view text)
{
    if (text.size() > max_quota_notice)
        return util::invalid(concat("more than ", max_quota_notice, " bytes"));
    if (!util::is_utf8(text))
        return util::invalid("not in UTF-8");
    QuotaNotice notice;
    bool in_body = false;
    for (int number = 1; !text.empty(); ++number) {
        auto [line, rest] = util::split_first(text, '\n');
        text = rest;
        if (line.ends_with('\r'))
            line.remove_suffix(1);
        auto wrong = [&](auto... what) { return util::invalid(concat("line ", number, ": ", what...)); };
        if (line.size() > max_quota_notice_line)
            return wrong("more than ", max_quota_notice_line, " bytes");
        if (std::ranges::any_of(line, [](char c) { return (static_cast<unsigned char>(c) < ' ' && c != '\t') || c == 127; }))
            return wrong("a control byte");
        if (std::string name = unknown_name(line); !name.empty())
            return wrong('$', util::printable(name, 40), " means nothing");
        if (in_body) {
            util::append(notice.body, line, '\n');
            continue;
        }
        if (line.empty()) {
            in_body = true;
            continue;
        }
        auto [name, value] = util::split_first(line, ':');
        if (name.size() == line.size() || !is_field_name(name))
            return wrong("a header field or an empty line is wanted");
        if (is_ours(name))
            return wrong(util::printable(name, 40), " is written by the system");
        notice.fields.emplace_back(name, util::trim(value));
    }
    for (std::string_view needed : {"From", "Subject"})
        if (std::ranges::none_of(notice.fields, [&](const auto& field) { return util::equal_nocase(field.first, needed); }))
            return util::invalid(concat("there is no ", needed, ": field"));
    if (notice.body.empty())
        return util::invalid("there is no text behind an empty line");
    return notice;
}

QuotaNotice QuotaNotice::built_in()
{
    return parse(built_in_text).take();
}

std::string compose(const QuotaNotice& notice, const QuotaFacts& facts)
{
    std::string message = concat("Date: ", facts.date, "\r\nMessage-ID: <", facts.unique, '@', facts.hostname, ">\r\nTo: <",
                                 util::printable(facts.account, 320), ">\r\n");
    for (const auto& [name, text] : notice.fields) {
        std::string value = expand(text, facts);
        util::append(message, name, ": ", encoded(value), "\r\n");
    }
    // RFC 3834 §5: nobody answers it.
    message += "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
               "Content-Transfer-Encoding: 8bit\r\n\r\n";
    std::string_view rest = notice.body;
    while (!rest.empty()) {
        auto [line, more] = util::split_first(rest, '\n');
        util::append(message, expand(line, facts), "\r\n");
        rest = more;
    }
    return message;
}

}  // namespace mail
