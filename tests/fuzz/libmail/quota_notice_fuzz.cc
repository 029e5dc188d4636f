// The words of the warning: whatever is in the file, what is made of it has one header and lines that end.
#include "libmail/quota_notice.h"
#include "libutil/check.h"
#include "libutil/text.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size)
{
    std::string_view bytes(reinterpret_cast<const char*>(data), size);
    auto notice = mail::QuotaNotice::parse(bytes);
    mail::QuotaFacts facts{.account = std::string(bytes.substr(0, 50)),
                           .hostname = "mx.example.org",
                           .date = "D",
                           .unique = "u",
                           .percent = 80,
                           .storage = size % 2 == 0,
                           .used = size * 1000,
                           .limit = size * 1200};
    std::string message = mail::compose(notice.ok() ? *notice : mail::QuotaNotice::built_in(), facts);
    CHECK(message.ends_with("\r\n") && message.find("\r\n\r\n") != message.npos);
    for (std::size_t i = 0; i < message.size(); ++i)
        CHECK(message[i] != '\n' || (i > 0 && message[i - 1] == '\r'));
    std::string_view header = std::string_view(message).substr(0, message.find("\r\n\r\n"));
    CHECK(header.find("Auto-Submitted: auto-generated") != header.npos);
    return 0;
}
