// For the fuzzers of log-in dialogues: any bytes, any pieces, any outcome of what the dialogue asks for.
#pragma once

#include "libipc/login_dialog.h"
#include "libutil/check.h"

#include <algorithm>
#include <cstdint>

namespace fuzz {

template <typename Login>
int run_login(const std::uint8_t* data, std::size_t size)
{
    using Kind = ipc::LoginStep::Kind;
    if (size < 2 || size > 100'000)
        return 0;
    std::string_view bytes(reinterpret_cast<const char*>(data), size);
    unsigned choices = std::uint8_t(bytes[0]);
    std::size_t piece = std::size_t(std::uint8_t(bytes[1])) + 1;
    bytes.remove_prefix(2);
    Login login("host.example");
    ipc::LoginOffer offer;
    offer.starttls = choices & 1;
    offer.plaintext = choices & 2;
    offer.mechanisms = {"PLAIN", "LOGIN", "SCRAM-SHA-256"};
    login.greet(offer);
    while (!bytes.empty()) {
        auto step = login.feed(bytes.substr(0, piece));
        bytes.remove_prefix(std::min(piece, bytes.size()));
        for (int round = 0; step.kind != Kind::Wait; ++round) {
            CHECK(round < 100'000);
            choices = choices * 1'103'515'245U + 12'345U;
            switch (step.kind) {
            case Kind::Wait:
                break;
            case Kind::StartTls:
                offer.tls_active = true;
                offer.starttls = false;
                login.set_offer(offer);
                break;
            case Kind::Authenticate:
                CHECK(!step.mechanism.empty());
                [[fallthrough]];
            case Kind::Respond:
                CHECK(step.kind == Kind::Authenticate || step.data);
                if (choices & 0x1000)
                    login.challenge("challenge");
                else if (choices & 0x2000)
                    login.refuse(ipc::LoginRefusal((choices >> 16) % 4));
                else if ((step = login.authenticated(choices & 0x4000 ? "data" : "")).kind == Kind::Proceed)
                    continue;
                break;
            case Kind::Cancel:
                break;
            case Kind::Proceed:
                CHECK(!login.greeting().empty());
                (void)login.leftover();
                return 0;
            case Kind::Close:
                return 0;
            }
            step = login.feed({});
        }
        login.output().clear();
    }
    login.say_goodbye("end");
    return 0;
}

}  // namespace fuzz
