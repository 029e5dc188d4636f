// The certificates: read as root, checked, and held as a sealed memfd that is handed to servers.
#pragma once

#include "libutil/result.h"
#include "libutil/unique_fd.h"

#include <string>
#include <string_view>
#include <vector>

namespace master {

class Certificates {
public:
    // Takes a checked text; empty: no certificates, fd() is -1.
    util::Result<void> set(std::vector<std::string> files, std::string_view text);
    int fd() const { return memory_.get(); }

    // Did any file change since the last look?  A changed pair that is not (yet) good is logged once
    // and the old one stays; true when there is a new one in fd().
    bool refresh();

private:
    std::string fingerprint() const;

    std::vector<std::string> files_;
    std::string text_;
    std::string seen_;  // what the files looked like at the last look
    util::UniqueFd memory_;
};

}  // namespace master
