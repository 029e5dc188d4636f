// What bounce hears of qmgr, and what it makes of it.
#include "bounce/checked_config.h"
#include "bounce/notification.h"
#include "tests/fuzz/records.h"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    std::string_view bytes(reinterpret_cast<const char*>(data), size);
    fuzz::round_trip<ipc::Notify>(bytes);
    ipc::Packet packet = fuzz::packet_of(bytes);
    auto order = ipc::decode<ipc::Notify>(packet);
    if (!order.ok())
        return 0;
    static bounce::CheckedConfig::Words words;
    static bounce::CheckedConfig config(words);
    static const bounce::Site site = [] {
        conf::Problems problems;
        auto settings = conf::MainCf::parse("myhostname=mail.example.org\nmyorigin=example.org\nbounce_size_limit=1000\n"
                                            "notify_classes=bounce 2bounce delay", "main.cf", "/etc/tern", problems);
        settings.fill({&config}, problems);
        CHECK(!problems.any());
        return bounce::Site{config, "mail.example.org", "example.org", "Tern", words.templates};
    }();
    bounce::Attachment attached{.content = std::string(bytes), .full = (size & 1) != 0};
    for (const bounce::Letter& letter : bounce::letters_of(*order, site)) {
        auto text = bounce::compose(*order, letter, attached, site, "NEW1", util::from_unix_seconds(1'800'000'000));
        if (text.ok()) {
            CHECK(text->ends_with("\r\n"));
            CHECK(text->find("\r\n\r\n") != std::string::npos);
        }
    }
    return 0;
}
