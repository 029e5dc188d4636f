// LastUses: when each app password was last used, kept in a file of auth's own.
//
// A use is on disk within a second, and at the end; of those within a minute of one another the first is
// kept, so that a mail program that logs in all the time costs nothing.
#pragma once

#include "libconf/last_uses_file.h"
#include "libutil/event.h"

#include <functional>

namespace auth {

class LastUses {
public:
    static constexpr std::int64_t resolution = 60;               // seconds
    static constexpr util::Duration write_delay{1'000'000};

    // Is there still such an app password?  Asked before the file is written.
    using Exists = std::function<bool(const std::string& account, const std::string& app)>;

    LastUses(util::EventLoop& loop, std::string path, Exists exists);
    ~LastUses();

    void note(const std::string& account, const std::string& app, std::string_view protocol, std::string_view client_address,
              std::int64_t seconds);

private:
    void write();

    std::string path_;
    Exists exists_;
    conf::LastUses uses_;
    util::Timer timer_;   // runs while there is something to write
    bool failed_ = false;
};

}  // namespace auth
