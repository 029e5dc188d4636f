// SRS addresses: the secrets, and which senders and recipients are concerned (libmail/srs.h makes and reads them).
#include "librouting/checked_config.h"
#include "librouting/router.h"
#include "libutil/sys.h"
#include "libutil/text.h"

#include <fcntl.h>
#include <sys/stat.h>

namespace routing {

using util::concat;
using util::Result;

namespace {

constexpr std::size_t max_secrets_file = 128 * 1024;   // bytes: all secrets at their longest

// Who can read a secret can have mail sent to anybody in our name.
Result<std::vector<std::string>> read_secrets(const std::string& path)
{
    constexpr mode_t others = S_IRWXG | S_IRWXO;
    auto fd = util::sys::open(path, O_RDONLY);
    if (!fd)
        return fd.take_error().in(concat("srs_secrets_file (\"tern srs new-secret\" makes one)"));
    struct stat status = TRY(util::sys::fstat(fd->get()));
    if (!S_ISREG(status.st_mode))
        return util::invalid(concat("srs_secrets_file ", path, " is no file"));
    if (status.st_mode & others)
        return util::invalid(
            concat("srs_secrets_file ", path, " can be read or written by others than its owner: chmod 600 ", path));
    std::string text = TRY(util::sys::read_file(path, max_secrets_file));
    auto secrets = mail::parse_srs_secrets(text);
    if (!secrets)
        return secrets.take_error().in(concat("srs_secrets_file ", path));
    return secrets;
}

}  // namespace

void CheckedConfig::verify(const conf::MainCf& settings, conf::Problems& problems) const
{
    auto complain = [&](const conf::Parameter& parameter, std::string_view text) {
        const conf::Setting* set = settings.find(parameter.name());
        problems.add(set ? set->file : settings.directory() + "/main.cf", set ? set->line : 0,
                     concat(parameter.name(), ": ", text));
    };
    auto domain = mail::parse_domain(*srs_domain);
    if (!srs_domain->empty() && (!domain || domain->starts_with('[')))
        complain(srs_domain, "no domain");
    for (const std::string& word : *proxy_interfaces)
        if (auto address = conf::IpAddress::parse(word); !address)
            complain(proxy_interfaces, address.error().text);
    if (*srs_hash_minimum > *srs_hash_length)
        complain(srs_hash_minimum, "more than srs_hash_length: no address would be good");
}

void CheckedConfig::check(const conf::MainCf& settings, conf::Problems& problems) const
{
    if (srs_domain->empty())
        return;
    auto secrets = read_secrets(*srs_secrets_file);
    if (secrets)
        return;
    const conf::Setting* set = settings.find("srs_domain");
    problems.add(set ? set->file : settings.directory() + "/main.cf", set ? set->line : 0, secrets.error().text);
}

Result<void> Router::open_srs()
{
    if (config_.srs_domain->empty())
        return {};
    mail::SrsSettings settings;
    settings.domain = TRY(mail::parse_domain(*config_.srs_domain));
    settings.secrets = TRY(read_secrets(*config_.srs_secrets_file));
    settings.days = static_cast<unsigned>(std::chrono::floor<std::chrono::days>(*config_.srs_lifetime).count());
    settings.hash_length = *config_.srs_hash_length;
    settings.hash_minimum = *config_.srs_hash_minimum;
    srs_.emplace(std::move(settings));
    return {};
}

bool Router::is_srs(const mail::Address& address) const
{
    return !config_.srs_domain->empty() && mail::has_srs_form(address.local_part) &&
           util::equal_nocase(address.domain, *config_.srs_domain);
}

Result<mail::Address> Router::srs_original(const mail::Address& address, util::WallTime now) const
{
    if (!srs_)
        return util::invalid("SRS address: nobody here has read the secrets");
    return srs_->reverse(address, util::unix_seconds(now));
}

std::optional<mail::Address> Router::replace_srs(const mail::Address& address, bool bounce) const
{
    if (!bounce || !is_srs(address))
        return {};
    auto original = srs_original(address);
    return original ? std::optional(original.take()) : std::nullopt;
}

Result<std::optional<mail::Address>> Router::srs_sender(const mail::Address& sender, util::WallTime now)
{
    std::optional<mail::Address> none;
    if (!srs_ || sender.is_null() || sender.domain.empty())
        return none;
    bool ours = TRY(is_ours(sender.domain));
    if (ours)
        return none;
    bool excluded = TRY(srs_excluded_.contains(sender.domain));
    if (excluded)
        return none;
    return srs_->forward(sender, util::unix_seconds(now));
}

}  // namespace routing
