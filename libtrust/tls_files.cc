// The files that the parameters of TLS to other servers name.
#include "libtrust/tls_files.h"

#include "libutil/sys.h"

namespace trust {

namespace {

constexpr std::size_t max_chain_file = 1'000'000;  // bytes
constexpr std::size_t max_anchor_file = 1'000'000;  // bytes
constexpr std::size_t max_kept_sessions = 500;    // of one process; each has some KB

}  // namespace

util::Result<std::string> read_authorities(const conf::Path& file)
{
    if (file->empty())
        return std::string();
    auto text = util::sys::read_file(*file, net::max_authorities_size);
    if (text.ok())
        return text;
    if (text.error().kind == util::Kind::NotFound && *file == file.default_text())
        return std::string();
    return text.take_error().in(file.name());
}

util::Result<net::TlsClientSettings> read_tls_files(const TlsConfig& config)
{
    net::TlsClientSettings settings;
    settings.verify_depth = int(*config.scert_verifydepth);
    settings.authority_directory = *config.ca_path;
    settings.max_sessions = config.session_cache_database->empty() ? 0 : max_kept_sessions;
    settings.session_lifetime = *config.session_cache_timeout;
    settings.authorities = TRY(read_authorities(config.ca_file));
    for (const std::string& file : *config.chain_files) {
        auto text = util::sys::read_file(file, max_chain_file);
        if (!text.ok())
            return text.take_error().in(config.chain_files.name());
        settings.chain += *text;
        if (!settings.chain.ends_with('\n'))
            settings.chain += '\n';
    }
    return settings;
}

util::Result<std::vector<net::TlsaRecord>> read_trust_anchors(const std::string& path)
{
    auto text = TRY(util::sys::read_file(path, max_anchor_file));
    auto anchors = net::trust_anchors(text);
    if (!anchors.ok())
        return anchors.take_error().in(path);
    return anchors;
}

}  // namespace trust
