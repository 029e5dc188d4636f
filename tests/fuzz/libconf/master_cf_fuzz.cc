// master.cf: services that are read have names that cannot leave their directory.
#include "libconf/master_cf.h"
#include "libutil/check.h"

#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    std::string_view text(reinterpret_cast<const char*>(data), size);
    conf::Problems problems;
    auto master = conf::MasterCf::parse(text, "master.cf", problems);
    for (const conf::Service& service : master.services()) {
        CHECK(service.command.find('/') == std::string::npos && !service.command.empty());
        CHECK(service.type == conf::ServiceType::Inet || service.name.find('/') == std::string::npos);
        CHECK(service.first_line > 0 && service.last_line >= service.first_line);
        (void)service.host_and_port();
        (void)service.socket_path();
        CHECK(master.find(service.name, service.type) != nullptr);
    }
    return 0;
}
