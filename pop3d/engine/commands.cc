// The commands of the TRANSACTION state: RFC 1939 §5 and §7, CAPA: RFC 2449.
#include "pop3d/engine/language.h"
#include "pop3d/engine/session.h"

#include "libmail/header.h"
#include "libmail/surrogate.h"
#include "libutil/log.h"
#include "libutil/text.h"

#include <algorithm>

namespace pop3d::engine {

namespace {

constexpr std::uint64_t piece_size = 128U << 10;       // of a message, read at once
constexpr std::size_t listing_high = 128U << 10;       // a listing pauses at this much output
constexpr std::uint64_t all_lines = UINT64_MAX;

}  // namespace

bool Session::no_argument(std::string_view argument)
{
    if (argument.empty())
        return true;
    error("Unexpected argument");
    return false;
}

Session::Message* Session::message(std::string_view text)
{
    auto number = util::parse_unsigned(text);
    if (!number.ok()) {
        error(text.empty() ? "Message number expected" : "Invalid message number");
        return nullptr;
    }
    if (*number == 0 || *number > messages_.size()) {
        error("There is no such message");
        return nullptr;
    }
    auto& found = messages_[*number - 1];
    if (found.deleted) {
        error("The message is deleted");
        return nullptr;
    }
    return &found;
}

const store::Entry* Session::entry(const Message& message)
{
    auto mailbox = store_.mailbox(mailbox_);
    const auto* found = mailbox.ok() ? (*mailbox)->find(message.uid) : nullptr;
    if (!found)
        error("The message was removed by another session");
    return found;
}

void Session::stat(std::string_view argument)
{
    if (!no_argument(argument))
        return;
    std::uint64_t count = 0;
    std::uint64_t bytes = 0;
    for (const auto& message : messages_) {
        if (message.deleted)
            continue;
        ++count;
        bytes += message.size;
    }
    ok(util::concat(count, " ", bytes));
}

void Session::append_list_line(std::size_t index)
{
    util::append(output_, index + 1, " ", messages_[index].size);
}

// The same in every session (RFC 1939 §7): no uid of INBOX is given twice under one UIDVALIDITY.
void Session::append_uidl_line(std::size_t index)
{
    util::append(output_, index + 1, " ");
    facts_.uidl_format.append(output_, uid_validity_, messages_[index].uid);
}

void Session::list(std::string_view argument)
{
    if (argument.empty()) {
        ok("Sizes follow");
        next_ = 0;
        running_ = Running::List;
        return;
    }
    const auto* found = message(argument);
    if (!found)
        return;
    bad_in_a_row_ = 0;
    output_ += "+OK ";
    append_list_line(std::size_t(found - messages_.data()));
    output_ += "\r\n";
}

void Session::uidl(std::string_view argument)
{
    if (argument.empty()) {
        ok("Unique ids follow");
        next_ = 0;
        running_ = Running::Uidl;
        return;
    }
    const auto* found = message(argument);
    if (!found)
        return;
    bad_in_a_row_ = 0;
    output_ += "+OK ";
    append_uidl_line(std::size_t(found - messages_.data()));
    output_ += "\r\n";
}

void Session::run_listing()
{
    for (; next_ < messages_.size() && output_.size() < listing_high; ++next_) {
        if (messages_[next_].deleted)
            continue;
        if (running_ == Running::List)
            append_list_line(next_);
        else
            append_uidl_line(next_);
        output_ += "\r\n";
    }
    if (next_ < messages_.size())
        return;
    output_ += ".\r\n";
    running_ = Running::Nothing;
}

void Session::retr(std::string_view argument)
{
    auto* found = message(argument);
    if (!found)
        return;
    const auto* stored = entry(*found);
    if (!stored)
        return;
    text_ = *stored;
    begin_text(*found, all_lines);
}

// TOP msg n: the header, the empty line, and n lines of the body.
void Session::top(std::string_view argument)
{
    auto [number, count] = util::split_first(argument, ' ');
    auto* found = message(number);
    if (!found)
        return;
    auto lines = util::parse_unsigned(util::trim(count));
    if (!lines.ok())
        return error("Number of lines expected");
    const auto* stored = entry(*found);
    if (!stored)
        return;
    text_ = *stored;
    begin_text(*found, *lines);
}

util::Result<std::string> Session::read_text(std::uint64_t at, std::uint64_t size)
{
    if (!surrogate_.empty())
        return surrogate_.substr(std::size_t(at), std::size_t(size));
    return store_.read_content(text_, at, size);
}

// RFC 6856 §2.1.
util::Result<void> Session::downgrade_text(std::string_view start)
{
    surrogate_.clear();
    text_size_ = text_.size;
    if (facts_.utf8 || (start.size() == text_.size && util::is_ascii(start)))
        return {};
    auto header_size = TRY(store_.read_rendered(text_)).header_size;
    auto header = TRY(store_.read_content(text_, 0, std::min<std::uint64_t>(text_.size, header_size)));
    if (!mail::may_need_surrogate(header, TRY(store_.read_rendered(text_)).body_structure))
        return {};
    if (auto made = mail::make_surrogate(TRY(store_.read_content(text_)))) {
        surrogate_ = std::move(*made);
        text_size_ = surrogate_.size();
    }
    return {};
}

void Session::begin_text(Message& message, std::uint64_t lines)
{
    auto unreadable = [&](const util::Error& why) {
        util::log::error("uid=", message.uid, ": ", why.text);
        error("[SYS/TEMP] The message cannot be read");
    };
    // The first piece is read before +OK, while -ERR can still be said.
    auto probe = store_.read_content(text_, 0, std::min<std::uint64_t>(text_.size, piece_size));
    if (!probe.ok())
        return unreadable(probe.error());
    if (auto done = downgrade_text(*probe); !done.ok())
        return unreadable(done.error());
    if (!surrogate_.empty())
        probe = read_text(0, piece_size);
    header_size_ = surrogate_.empty() ? 0 : mail::header_size(surrogate_);
    if (lines != all_lines && surrogate_.empty()) {
        auto rendered = store_.read_rendered(text_);
        if (!rendered.ok())
            return unreadable(rendered.error());
        header_size_ = rendered->header_size;
    }
    if (lines == all_lines) {
        ok(util::concat(text_size_, " octets"));
        message.retrieved = true;
        ++retrieved_;
        retrieved_bytes_ += text_size_;
    } else {
        ok("Top of the message follows");
    }
    lines_left_ = lines;
    line_start_ = true;
    running_ = Running::Text;
    text_at_ = probe->size();
    if (!append_lines(*probe))
        text_at_ = text_size_;
}

// RFC 1939 §3: lines that begin with a dot get a second one.  False when TOP has enough.
bool Session::append_lines(std::string_view bytes)
{
    std::uint64_t offset = text_at_ - bytes.size();
    while (!bytes.empty()) {
        if (lines_left_ == 0 && offset >= header_size_)
            return false;
        auto end = bytes.find('\n');
        auto line = bytes.substr(0, end == std::string_view::npos ? end : end + 1);
        if (line_start_ && line.front() == '.')
            output_ += '.';
        output_ += line;
        bool complete = end != std::string_view::npos;
        if (complete && offset >= header_size_ && lines_left_ != all_lines)
            --lines_left_;
        line_start_ = complete;
        offset += line.size();
        bytes.remove_prefix(line.size());
    }
    return true;
}

void Session::run_text()
{
    if (text_at_ < text_size_ && !(lines_left_ == 0 && text_at_ >= header_size_)) {
        auto size = std::min(text_size_ - text_at_, piece_size);
        auto piece = read_text(text_at_, size);
        if (!piece.ok() || piece->size() != size) {
            // Its size is announced and a part is sent: only the connection can end.
            util::log::error("uid=", text_.uid, ": ",
                             piece.ok() ? "the message is shorter than its size" : piece.error().text);
            return drop();
        }
        text_at_ += size;
        if (!append_lines(*piece))
            text_at_ = text_size_;
        return;
    }
    if (!line_start_)
        output_ += "\r\n";
    output_ += ".\r\n";
    running_ = Running::Nothing;
    surrogate_ = {};
}

void Session::dele(std::string_view argument)
{
    auto* found = message(argument);
    if (!found)
        return;
    found->deleted = true;
    ok("Marked to be deleted");
}

void Session::rset(std::string_view argument)
{
    if (!no_argument(argument))
        return;
    for (auto& message : messages_)
        message.deleted = false;
    ok("Nothing is marked");
}

void Session::noop(std::string_view argument)
{
    if (no_argument(argument))
        ok("Nothing done");
}

void Session::capa(std::string_view argument)
{
    if (!no_argument(argument))
        return;
    ok("Capabilities follow");
    util::append(output_, "TOP\r\nUIDL\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\nPIPELINING\r\n"
                          "UTF8 USER\r\nLANG\r\nIMPLEMENTATION Tern\r\n", facts_.login_capabilities, ".\r\n");
}

void Session::lang(std::string_view argument)
{
    if (!append_language(output_, argument))
        return error("This language is not spoken here");
    bad_in_a_row_ = 0;
}

void Session::already_in(std::string_view)
{
    error("Already logged in");
}

}  // namespace pop3d::engine
