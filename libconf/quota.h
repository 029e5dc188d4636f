// Quotas as they are written down: of an account among its flags in the accounts file, of a domain in the
// file "quotas".
//
//   alice@example.org:100001:100001:/var/mail/tern/example.org/alice:storage=2147483648,messages=none
//
//   # tern quotas 1
//   @example.org:storage=53687091200,each-storage=1073741824
//
// In that file the first line is the version; one line for a domain follows, sorted.  "storage", "messages"
// and "mailboxes" are of all its accounts together ("mailboxes" there has no meaning), "each-storage" and so
// on of each of them that has none of its own.  Words that are not known are kept: they may be a later release's.
// Readable by all; never changed in place: ternuser(1) writes a new one and renames it.
#pragma once

#include "libconf/watched_file.h"
#include "libutil/result.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace conf {

constexpr std::uint64_t no_limit = UINT64_MAX;                // "none": no limit, whatever the next in line says
constexpr std::uint64_t max_quota = std::uint64_t(1) << 60;   // bytes, messages, mailboxes

// What is not said is for the next in line to say: account, domain, parameter.
struct QuotaLimits {
    std::optional<std::uint64_t> storage = {};   // bytes
    std::optional<std::uint64_t> messages = {};
    std::optional<std::uint64_t> mailboxes = {};

    bool said() const { return storage || messages || mailboxes; }
    // The same, and of `next` where this says nothing.
    QuotaLimits or_else(const QuotaLimits& next) const;
    bool operator==(const QuotaLimits&) const = default;
};

// "2G", "500M", "10k", "1048576" (of 1024 each), "none".  Invalid: anything else, 0, or more than max_quota.
util::Result<std::uint64_t> parse_quota_size(std::string_view text);
// The same without units.
util::Result<std::uint64_t> parse_quota_number(std::string_view text);

// The limits among words such as "storage=2147483648", with `prefix` before each.  Invalid: a limit that is none.
util::Result<QuotaLimits> quota_among(const std::vector<std::string>& words, std::string_view prefix = {});
// Removes such words and puts those for these limits in their place.
void set_quota_among(std::vector<std::string>& words, const QuotaLimits& limits, std::string_view prefix = {});

struct DomainQuota {
    std::vector<std::string> words;

    // Of all accounts together; of each.
    QuotaLimits all() const;
    QuotaLimits each() const;
    bool operator==(const DomainQuota&) const = default;
};
using DomainQuotas = std::map<std::string, DomainQuota, std::less<>>;   // by domain, in lower case

constexpr std::string_view quotas_version_line = "# tern quotas 1\n";
constexpr std::size_t max_quotas_size = 16U << 20;   // bytes of the file
constexpr std::size_t max_quotas_line = 1024;

// Invalid: what is wrong, with the line.
util::Result<DomainQuotas> parse_domain_quotas(std::string_view text);
std::string format_domain_quotas(const DomainQuotas& quotas);
// A missing file is an empty list.
util::Result<DomainQuotas> read_domain_quotas(const std::string& path);
util::Result<void> write_domain_quotas(const std::string& path, const DomainQuotas& quotas);

// Lookups in the file at a path, for as long as a process lives; a replaced file is noticed within a second.
class DomainQuotasReader {
public:
    explicit DomainQuotasReader(std::string path) : file_(std::move(path)) {}

    // Nothing: the domain has none.  Temporary: the file cannot be read, or is wrong.
    util::Result<const DomainQuota*> find(std::string_view domain);
    void refresh() { file_.look_now(); }

private:
    WatchedFile file_;
    DomainQuotas quotas_;
};

}  // namespace conf
