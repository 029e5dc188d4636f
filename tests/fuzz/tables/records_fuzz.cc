// What tables hears, and what it answers.
#include "libipc/table_lookup.h"
#include "tables/answers.h"
#include "tests/fuzz/records.h"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    std::string_view bytes(reinterpret_cast<const char*>(data), size);
    fuzz::round_trip<ipc::LookUp>(bytes);
    fuzz::round_trip<ipc::LookUpAnswer>(bytes);
    static auto answers = tables::Answers::open({"proxy:inline:{a=1}", "proxy:pcre:{{/^(.+)@/ $1}}"});
    ipc::Packet packet = fuzz::packet_of(bytes);
    auto question = ipc::decode<ipc::LookUp>(packet);
    if (question.ok())
        (void)answers->answer(*question);
    return 0;
}
