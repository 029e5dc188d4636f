// SASL exchanges: lines of the input are the client's responses.
#include "libmail/sasl.h"
#include "libutil/check.h"
#include "libutil/text.h"

#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    std::string_view input(reinterpret_cast<const char*>(data), size);
    mail::ScramVerifier verifier{4096, "salt", std::string(32, 'a'), std::string(32, 'b')};
    mail::ChannelBinding binding{"exporter", "end point", true};
    for (auto mechanism : {mail::Mechanism::Plain, mail::Mechanism::Login, mail::Mechanism::ScramSha256,
                           mail::Mechanism::ScramSha256Plus}) {
        mail::SaslExchange sasl(mechanism, binding, "abcdefghijklmnopqr");
        for (std::string_view line : util::split(input, '\n')) {
            mail::SaslStep step = sasl.step(line);
            if (step.kind == mail::SaslStep::Kind::FindVerifier)
                step = sasl.use_verifiers({verifier});
            CHECK(step.kind != mail::SaslStep::Kind::Success);
            CHECK(sasl.authcid().size() <= mail::max_sasl_name && sasl.password().size() <= mail::max_sasl_password);
        }
    }
    (void)mail::decode_sasl_line(input, true);
    if (auto parsed = mail::parse_scram_verifier(input); parsed.ok())
        CHECK(mail::parse_scram_verifier(mail::to_text(*parsed)).ok());
    return 0;
}
