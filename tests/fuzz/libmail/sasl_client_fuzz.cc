// SASL exchanges as a client: lines of the input are the server's challenges.  No server proves that it knows a password
// by chance.
#include "libmail/sasl_client.h"
#include "libutil/check.h"
#include "libutil/text.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size)
{
    std::string_view input(reinterpret_cast<const char*>(data), size);
    for (const mail::SaslMechanism& mechanism : mail::sasl_client_mechanisms()) {
        mail::SaslCredentials credentials{"user", "pencil", mechanism.token, "mx", 587};
        auto client = mail::make_sasl_client(mechanism.name, credentials, {"exporter", "", true}, "fyko+d2lbbFgONRv9qkxdawL");
        CHECK(client);
        (void)client->initial();
        for (std::string_view line : util::split(input, '\n'))
            if (!client->respond(line))
                break;
        CHECK(!mechanism.mutual || !client->finished());
    }
    return 0;
}
