// Any bytes as a drop file: reading ends with all records or an error.
#include "libqueue/maildrop.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    auto file = util::sys::memfd("drop");
    CHECK(file.ok());
    CHECK(util::sys::pwrite_all(file->get(), {reinterpret_cast<const char*>(data), size}, 0).ok());
    (void)queue::read_drop(file->get(), [](std::string_view) -> util::Result<void> { return {}; }).ok();
    return 0;
}
