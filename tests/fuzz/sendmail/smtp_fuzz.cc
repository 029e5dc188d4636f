// Anything on the standard input of sendmail -bs.  The first byte says in which pieces it comes.
#include "tools/sendmail/smtp_session.h"

#include <algorithm>

namespace {

class Counting : public sendmail::Sink {
public:
    void begin(ipc::Envelope, const std::vector<ipc::Recipient>& recipients) override
    {
        CHECK(!recipients.empty() && recipients.size() <= sendmail::SmtpSession::max_recipients);
    }
    void write(std::string_view bytes) override { CHECK(bytes.size() <= sendmail::SmtpSession::max_piece + 2); }
    util::Result<void> finish() override { return {}; }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size == 0)
        return 0;
    conf::Common config;
    for (conf::Parameter* parameter : config.parameters())
        (void)parameter->read(parameter->default_text().find('$') == std::string::npos ? parameter->default_text()
                                                                                       : "x.example");
    std::string_view input(reinterpret_cast<const char*>(data), size);
    std::size_t piece = 1 + static_cast<unsigned char>(input[0]);
    input.remove_prefix(1);
    std::string out;
    sendmail::SmtpSession session(config,
                                  {.read = [&](std::span<char> buffer) -> util::Result<std::size_t> {
                                       std::size_t length = std::min({buffer.size(), input.size(), piece});
                                       std::copy_n(input.data(), length, buffer.data());
                                       input.remove_prefix(length);
                                       return length;
                                   },
                                   .write = [&](std::string_view text) { out += text; }},
                                  [] { return util::Result<std::unique_ptr<sendmail::Sink>>(std::make_unique<Counting>()); });
    (void)session.run();
    CHECK(out.starts_with("220 ") && out.ends_with("\r\n"));
    return 0;
}
