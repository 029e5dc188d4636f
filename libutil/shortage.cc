// Shortage: two lines for each.
#include "libutil/shortage.h"

#include "libutil/log.h"
#include "libutil/sys.h"

namespace util {

void Shortage::begin(int code, std::string_view consequence)
{
    if (active_)
        return;
    active_ = true;
    since_ = now();
    log::warning("no descriptor is free: ", sys::explain_shortage(code), "; ", consequence);
}

void Shortage::tell_end()
{
    active_ = false;
    log::info("descriptors are free again, after ", format_delay(now() - since_), " s");
}

}  // namespace util
