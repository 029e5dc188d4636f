// Versions of lists.
#include "libipc/errands.h"

#include "libutil/crc32c.h"

namespace ipc {

std::uint64_t version_of(const std::vector<mail::Destination>& destinations)
{
    std::uint32_t sum = 0;
    for (const mail::Destination& one : destinations)
        sum = util::crc32c(util::concat(static_cast<unsigned>(one.kind), one.plain ? "\\" : "", one.text, "\n"), sum);
    return (std::uint64_t(destinations.size()) << 32) | sum;
}

}  // namespace ipc
