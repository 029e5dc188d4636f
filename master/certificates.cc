// The certificates.
#include "master/certificates.h"

#include "libutil/log.h"
#include "libutil/sys.h"

namespace master {

namespace {

util::Result<util::UniqueFd> sealed_copy(std::string_view text)
{
    auto memory = TRY(util::sys::memfd("certificates"));
    TRY(util::sys::write_all(memory.get(), text));
    TRY(util::sys::seal(memory.get()));
    return memory;
}

}  // namespace

util::Result<void> Certificates::set(CertificateSources sources, CertificateText certificates)
{
    util::UniqueFd memory;
    bool same = certificates.text == current_.text;
    if (!same && !certificates.text.empty())
        memory = TRY(sealed_copy(certificates.text));
    sources_ = std::move(sources);
    current_ = std::move(certificates);
    seen_ = fingerprint();
    if (!same)
        memory_ = std::move(memory);
    return {};
}

// Which files they are, and when they were last written: a renewal replaces or rewrites them, or
// what a symbolic link points to.
std::string Certificates::fingerprint() const
{
    std::string out;
    for (const std::string& file : current_.files) {
        auto status = util::sys::stat(file);
        if (status)
            util::append(out, status->st_dev, ":", status->st_ino, ":", status->st_size, ":", status->st_mtim.tv_sec, ".",
                         status->st_mtim.tv_nsec, " ");
        else
            util::append(out, status.error().text, " ");
    }
    return out;
}

bool Certificates::refresh()
{
    std::string now = fingerprint();
    if (now == seen_)
        return false;
    seen_ = std::move(now);
    auto read = read_certificates(sources_);
    if (!read) {
        // Also while a tool is between writing key and certificate: the next look finds them whole.
        util::log::warning("tls_chain_files changed, and the old ones stay in use: ", read.error().text);
        return false;
    }
    if (read->text == current_.text) {
        current_.files = std::move(read->files);
        return false;
    }
    auto memory = sealed_copy(read->text);
    if (!memory) {
        util::log::warning("tls_chain_files changed, and the old ones stay in use: ", memory.error().text);
        return false;
    }
    memory_ = memory.take();
    current_ = read.take();
    util::log::info("tls_chain_files changed: the new certificates are in use");
    return true;
}

}  // namespace master
