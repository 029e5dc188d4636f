// A server's reply: whatever comes is put together within its limits, and can be read as one to EHLO.
#include "libmail/ehlo.h"
#include "libutil/check.h"
#include "libutil/text.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size)
{
    std::string_view input(reinterpret_cast<const char*>(data), size);
    mail::ReplyParser parser;
    for (std::string_view line : util::split(input, '\n')) {
        auto done = parser.feed(line);
        if (!done)
            break;
        if (!*done)
            continue;
        mail::Reply reply = parser.take();
        CHECK(reply.code >= 200 && reply.code <= 599);
        CHECK(reply.dsn.empty() || reply.dsn[0] - '0' == reply.code / 100);
        CHECK(reply.text.size() <= mail::max_remote_reply_lines * (mail::max_remote_reply_line + 1));
        mail::ServerExtensions server = mail::parse_ehlo(reply, {"size"});
        CHECK(!server.size && server.mechanisms.size() <= mail::max_announced_words);
        CHECK(mail::to_line(reply).find('\n') == std::string::npos);
    }
    return 0;
}
