// From standard input to a submission.
#include "tools/sendmail/compose.h"

#include "libmail/address.h"
#include "libmail/address_list.h"
#include "libmail/header.h"
#include "libutil/text.h"

#include <algorithm>

namespace sendmail {

void LineReader::feed(std::string_view bytes, std::string& out)
{
    while (!bytes.empty() && !ended_) {
        std::size_t newline = bytes.find('\n');
        if (newline == std::string_view::npos) {
            partial_ += bytes;
            if (partial_.size() > longest_partial)
                begin_long_line(out);
            return;
        }
        if (partial_.empty()) {
            line(bytes.substr(0, newline), out);
        } else {
            partial_ += bytes.substr(0, newline);
            std::string whole = std::move(partial_);
            partial_.clear();
            line(whole, out);
        }
        bytes.remove_prefix(newline + 1);
    }
}

void LineReader::end(std::string& out)
{
    if (!partial_.empty() && !ended_)
        line(partial_, out);
    ended_ = true;
}

// Passes on what there is of a line without end; its last byte may be the CR of its end.
void LineReader::begin_long_line(std::string& out)
{
    char last = partial_.back();
    partial_.pop_back();
    out += partial_;
    partial_.assign(1, last);
    first_ = false;
    within_ = true;
}

void LineReader::line(std::string_view text, std::string& out)
{
    if (text.ends_with('\r'))
        text.remove_suffix(1);
    bool whole = !std::exchange(within_, false);
    if (whole && dot_ends_ && text == ".") {
        ended_ = true;
        return;
    }
    // A mailbox file's line before the header, with or without its quoting.
    std::string_view unquoted = text.substr(std::min(text.find_first_not_of('>'), text.size()));
    first_ = first_ && whole && unquoted.starts_with("From ");
    if (first_)
        return;
    out += text;
    out += "\r\n";
}

std::vector<std::string> header_recipients(std::string_view header)
{
    std::vector<std::string> found;
    mail::HeaderReader reader(header);
    mail::FieldView field;
    while (reader.next(field))
        if (field.is("To") || field.is("Cc") || field.is("Bcc"))
            found.emplace_back(field.value);
    return found;
}

util::Result<std::vector<std::string>> envelope_addresses(std::string_view text, std::string_view origin)
{
    std::vector<std::string> addresses;
    for (const auto& entry : mail::parse_address_list(text, text.size())) {  // all: none may be dropped
        if (entry.kind != mail::ListEntry::Kind::Address)
            continue;
        std::string_view domain = entry.domain.empty() ? origin : std::string_view(entry.domain);
        std::string whole = util::concat(mail::quote_local_part(entry.local_part), "@", domain);
        auto address = mail::parse_address(whole);
        if (entry.local_part.empty() || !address.ok())
            return util::invalid(util::concat("bad address: ", util::printable(text, 200)));
        addresses.push_back(mail::to_text(*address));
    }
    // What is read leniently would lose the end of a@b@c.
    bool plain = text.find_first_of("<\"(") == std::string_view::npos;
    if (plain && std::size_t(std::ranges::count(text, '@')) > addresses.size())
        return util::invalid(util::concat("bad address: ", util::printable(text, 200)));
    return addresses;
}

std::string from_field(std::string_view full_name, std::string_view address)
{
    mail::ListEntry entry;
    entry.has_name = !full_name.empty();
    entry.name = full_name;
    auto parsed = mail::parse_address(address);
    if (parsed.ok()) {
        entry.local_part = parsed->local_part;
        entry.domain = parsed->domain;
    }
    return util::concat("From: ", mail::to_header(entry), "\r\n");
}

}  // namespace sendmail
