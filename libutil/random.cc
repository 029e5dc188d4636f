// Random bytes from the kernel.
#include "libutil/random.h"

#include "libutil/check.h"

#include <sys/random.h>

#include <cerrno>

namespace util {

void random_bytes(std::span<char> out)
{
    while (!out.empty()) {
        ssize_t got = ::getrandom(out.data(), out.size(), 0);
        CHECK(got > 0 || errno == EINTR);
        if (got > 0)
            out = out.subspan(static_cast<std::size_t>(got));
    }
}

std::string random_string(std::size_t bytes)
{
    std::string out(bytes, '\0');
    random_bytes(out);
    return out;
}

std::uint64_t random_u64()
{
    std::uint64_t value = 0;
    random_bytes({reinterpret_cast<char*>(&value), sizeof value});
    return value;
}

}  // namespace util
