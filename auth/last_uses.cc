// LastUses.
#include "auth/last_uses.h"

#include "libutil/log.h"

namespace auth {

LastUses::LastUses(util::EventLoop& loop, std::string path, Exists exists)
    : path_(std::move(path)), exists_(std::move(exists)), uses_(conf::read_last_uses(path_)), timer_(loop, [this] { write(); })
{
}

LastUses::~LastUses()
{
    if (timer_.running())
        write();
}

void LastUses::note(const std::string& account, const std::string& app, std::string_view protocol,
                    std::string_view client_address, std::int64_t seconds)
{
    conf::LastUse& use = uses_[{account, app}];
    if (use.time != 0 && seconds - use.time < resolution && seconds >= use.time)
        return;
    use = {seconds, std::string(protocol), std::string(client_address)};
    if (!timer_.running())
        timer_.start(write_delay);
}

void LastUses::write()
{
    std::erase_if(uses_, [this](const auto& entry) { return !exists_(entry.first.first, entry.first.second); });
    auto written = conf::write_last_uses(path_, uses_);
    if (!written.ok() && !failed_)
        util::log::warning("the last uses of app passwords are not kept: ", written.error().text);
    failed_ = !written.ok();
}

}  // namespace auth
