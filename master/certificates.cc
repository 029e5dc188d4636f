// The certificates.
#include "master/certificates.h"

#include "libutil/log.h"
#include "libutil/sys.h"
#include "master/plan.h"

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

util::Result<void> Certificates::set(std::vector<std::string> files, std::string_view text)
{
    files_ = std::move(files);
    seen_ = fingerprint();
    if (text == text_)
        return {};
    util::UniqueFd memory;
    if (!text.empty())
        memory = TRY(sealed_copy(text));
    memory_ = std::move(memory);
    text_ = text;
    return {};
}

// Which files they are, and when they were last written: a renewal replaces or rewrites them, or
// what a symbolic link points to.
std::string Certificates::fingerprint() const
{
    std::string out;
    for (const std::string& file : files_) {
        auto status = util::sys::stat(file);
        if (status)
            util::append(out, status->st_dev, ":", status->st_ino, ":", status->st_size, ":", status->st_mtim.tv_sec, ".", status->st_mtim.tv_nsec, " ");
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
    auto text = read_chain_files(files_);
    if (!text) {
        // Also while a tool is between writing key and certificate: the next look finds them whole.
        util::log::warning("tls_chain_files changed, and the old ones stay in use: ", text.error().text);
        return false;
    }
    if (*text == text_)
        return false;
    auto memory = sealed_copy(*text);
    if (!memory) {
        util::log::warning("tls_chain_files changed, and the old ones stay in use: ", memory.error().text);
        return false;
    }
    memory_ = memory.take();
    text_ = text.take();
    util::log::info("tls_chain_files changed: the new certificates are in use");
    return true;
}

}  // namespace master
