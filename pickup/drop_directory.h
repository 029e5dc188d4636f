// The drop directory: what terndrop(1) left there is passed on and removed.
#pragma once

#include "pickup/intake.h"

namespace pickup {

class DropDirectory {
public:
    // Names that begin so are set aside: files that cannot be passed on, for the administrator.
    static constexpr std::string_view set_aside_prefix = "bad-";

    // Opens the directory while it can be seen.
    static util::Result<DropDirectory> open(const std::string& path, std::uint64_t size_limit);

    // Passes on all files that are there now, oldest name first; stops at the first sign that
    // cleanup is away, to try again at the next wake-up.
    void scan(Intake& intake);

private:
    DropDirectory(util::UniqueFd directory, std::uint64_t size_limit)
        : directory_(std::move(directory)), size_limit_(size_limit)
    {
    }
    // Temporary: leave it where it is.  Others: set it aside.
    util::Result<void> pass_on(const std::string& name, Intake& intake);
    void set_aside(const std::string& name, std::string_view why);

    util::UniqueFd directory_;
    std::uint64_t size_limit_;
};

}  // namespace pickup
