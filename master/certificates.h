// The certificates: read as root, checked, and held as a sealed memfd that is handed to servers.
#pragma once

#include "libutil/result.h"
#include "libutil/unique_fd.h"
#include "master/certificate_files.h"

#include <string>

namespace master {

class Certificates {
public:
    // Takes a checked text, and where it is from; empty: no certificates, fd() is -1.
    util::Result<void> set(CertificateSources sources, CertificateText certificates);
    int fd() const { return memory_.get(); }

    // Did any file change since the last look?  A changed pair that is not (yet) good is logged once
    // and the old one stays; true when there is a new one in fd().
    bool refresh();

private:
    std::string fingerprint() const;

    CertificateSources sources_;
    CertificateText current_;
    std::string seen_;  // what the files looked like at the last look
    util::UniqueFd memory_;
};

}  // namespace master
