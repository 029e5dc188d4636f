// An IMAP session upon a user's store.
#include "tools/ternbox/imap_session.h"

#include "libutil/sys.h"
#include "libutil/text.h"

#include <cerrno>
#include <sys/socket.h>

namespace ternbox {

namespace {

constexpr std::size_t read_size = 64U << 10;

util::Error lost()
{
    return util::temporary("the user's mailbox process has ended the session");
}

// RFC 5530, RFC 9051 §7.1.
util::Error refusal(const Response& response)
{
    auto code = util::split_first(response.code, ' ').first;
    auto is = [&](std::string_view name) { return util::equal_nocase(code, name); };
    util::Error error = util::permanent(response.text);
    if (is("NONEXISTENT") || is("TRYCREATE"))
        error.kind = util::Kind::NotFound;
    else if (is("UNAVAILABLE") || is("INUSE") || is("SERVERBUG") || response.status == "BYE")
        error.kind = util::Kind::Temporary;
    else if (response.status == "BAD" || is("BADCHARSET") || is("ALREADYEXISTS"))
        error.kind = util::Kind::Invalid;
    if (is("ALREADYEXISTS"))
        error.code = EEXIST;
    return error;
}

}  // namespace

ImapSession::~ImapSession()
{
    if (fd_.valid())
        (void)command("LOGOUT");
}

util::Result<void> ImapSession::begin()
{
    TRY(command("ENABLE UTF8=ACCEPT"));
    return {};
}

util::Result<Response> ImapSession::command(std::string_view text, const Take& take)
{
    auto tag = util::concat("t", ++tags_);
    auto sent = util::sys::write_all(fd_.get(), util::concat(tag, " ", text, "\r\n"));
    if (!sent.ok()) {
        fd_.reset();
        return lost();
    }
    util::Result<void> taken = {};
    for (;;) {
        auto bytes = read_response();
        auto response = bytes.ok() ? parse_response(*bytes) : util::Result<Response>(bytes.take_error());
        if (!response.ok()) {
            fd_.reset();
            return response.take_error();
        }
        if (response->tag == tag) {
            // Some have gone meanwhile: the rest is done.
            if (response->status == "OK" || util::equal_nocase(response->code, "EXPUNGEISSUED")) {
                TRY(std::move(taken));
                return response;
            }
            return refusal(*response);
        }
        if (response->status == "BYE" && text != "LOGOUT") {
            fd_.reset();
            return refusal(*response);
        }
        if (response->tag == "*" && take && taken.ok())
            taken = take(*response);
    }
}

util::Result<void> ImapSession::fill()
{
    char buffer[read_size];
    ssize_t count = 0;
    do
        count = ::recv(fd_.get(), buffer, sizeof buffer, 0);
    while (count < 0 && errno == EINTR);
    if (count <= 0)
        return lost();
    input_.append(buffer, std::size_t(count));
    return {};
}

// A line with its literals, without the CRLF at its end.
util::Result<std::string> ImapSession::read_response()
{
    std::size_t segment = 0;   // behind the last literal
    std::size_t at = 0;
    for (;;) {
        auto end = input_.find("\r\n", at);
        if (end == std::string::npos) {
            if (input_.size() > max_response)
                return util::permanent("a response of the mailbox process is too large");
            at = std::max(segment, input_.empty() ? 0 : input_.size() - 1);
            TRY(fill());
            continue;
        }
        auto size = announced_literal(std::string_view(input_).substr(segment, end - segment));
        if (!size) {
            auto response = input_.substr(0, end);
            input_.erase(0, end + 2);
            return response;
        }
        if (*size > max_response)
            return util::permanent("a response of the mailbox process is too large");
        segment = at = end + 2 + std::size_t(*size);
        while (input_.size() < at)
            TRY(fill());
    }
}

std::string quoted(std::string_view utf8)
{
    std::string out = "\"";
    for (char c : utf8) {
        if (c == '"' || c == '\\')
            out += '\\';
        out += c;
    }
    return out += '"';
}

}  // namespace ternbox
