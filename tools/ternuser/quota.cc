// Limits and usage.
#include "tools/ternuser/quota.h"

#include "libipc/connection.h"
#include "libipc/quota.h"
#include "libmail/address.h"
#include "libstore/usage_file.h"
#include "libutil/standard_fds.h"
#include "libutil/text.h"
#include "tools/common/table_text.h"

#include <cerrno>

namespace ternuser {

namespace {

using conf::QuotaLimits;
using util::concat;

constexpr auto answer_timeout = std::chrono::seconds(30);
using Member = std::optional<std::uint64_t> QuotaLimits::*;

struct Resource {
    std::string_view name;
    Member limit;
    std::uint64_t store::QuotaUsage::*used;
};
constexpr Resource resources[] = {
    {"storage", &QuotaLimits::storage, &store::QuotaUsage::bytes},
    {"messages", &QuotaLimits::messages, &store::QuotaUsage::messages},
    {"mailboxes", &QuotaLimits::mailboxes, &store::QuotaUsage::mailboxes},
};

// A limit as it counts, and who says so.
struct Limit {
    std::optional<std::uint64_t> value;   // nothing: none
    std::string_view from = "default";
};

struct Line {
    std::string name;       // NAME@DOMAIN or @DOMAIN
    std::string home;
    Limit limits[3];
    std::optional<store::QuotaUsage> used;

    bool is_domain() const { return name.front() == '@'; }
};

std::optional<std::uint64_t> value_of(const std::optional<std::uint64_t>& said)
{
    return said && *said != conf::no_limit ? said : std::nullopt;
}

// What counts where nobody says anything.
QuotaLimits parameters(const conf::QuotaConfig& config)
{
    auto limit = [](std::uint64_t value) { return value == 0 ? std::nullopt : std::optional(value); };
    return {limit(*config.quota_bytes), limit(*config.quota_messages), limit(*config.quota_mailboxes)};
}

std::string domain_of(std::string_view address)
{
    return std::string(address.substr(address.rfind('@') + 1));
}

Line line_of(const conf::Account& account, const conf::DomainQuotas& domains, const QuotaLimits& defaults)
{
    Line line{.name = account.address, .home = account.home, .limits = {}, .used = {}};
    QuotaLimits own = conf::quota_among(account.flags).value_or({});
    auto found = domains.find(domain_of(account.address));
    QuotaLimits each = found == domains.end() ? QuotaLimits() : found->second.each();
    for (std::size_t i = 0; i < std::size(resources); ++i) {
        Member limit = resources[i].limit;
        line.limits[i] = own.*limit    ? Limit{value_of(own.*limit), "account"}
                         : each.*limit ? Limit{value_of(each.*limit), "domain"}
                                       : Limit{defaults.*limit, "default"};
    }
    return line;
}

// --- changes -----------------------------------------------------------------------------------------

void change(QuotaLimits& limits, const Options& options, std::string_view prefix)
{
    for (const Resource& resource : resources)
        if (auto wanted = options.quota.find(concat(prefix, resource.name)); wanted != options.quota.end())
            limits.*resource.limit = wanted->second.value;
}

// The domain in the form that files have.
util::Result<std::string> parse_domain(std::string_view text)
{
    std::string name = TRY(parse_name(concat("postmaster", text)));
    return domain_of(name);
}

util::Result<void> make_changes(const QuotaContext& context, Book& book, const std::string& name)
{
    const Options& options = context.options;
    if (!name.starts_with('@')) {
        const conf::Account* account = book.find(name);
        QuotaLimits limits = account ? conf::quota_among(account->flags).value_or({}) : QuotaLimits();
        change(limits, options, "");
        return book.set_quota(name, limits);
    }
    std::string domain = name.substr(1);
    auto found = book.domain_quotas().find(domain);
    conf::DomainQuota before = found == book.domain_quotas().end() ? conf::DomainQuota() : found->second;
    QuotaLimits all = before.all(), each = before.each();
    change(all, options, "");
    change(each, options, "each-");
    return book.set_domain_quota(domain, all, each);
}

// --- usage -------------------------------------------------------------------------------------------

util::Result<ipc::Connection> usher(const conf::Common& common)
{
    return ipc::Connection::connect(*common.queue_directory + "/private/usher", answer_timeout);
}

bool is_down(const util::Error& error)
{
    return error.kind == util::Kind::NotFound || error.code == ENOENT || error.code == ECONNREFUSED;
}

util::Result<void> tell_usher(const conf::Common& common)
{
    auto connection = usher(common);
    if (!connection.ok())
        return is_down(connection.error()) ? util::Result<void>() : connection.take_error();
    auto taken = connection->call<ipc::QuotasTaken>(ipc::QuotasChanged{});
    if (!taken.ok())
        return util::temporary(concat("the change is made, but mailboxes that are open go on with the old limits: ",
                                      taken.error().text, "; \"tern reload\" tells them"));
    return {};
}

// What a closed store has left a remark of is read; of others usher asks the mailboxes.
util::Result<void> find_usage(const conf::Common& common, std::vector<Line>& lines)
{
    std::vector<Line*> open;
    for (Line& line : lines) {
        if (line.is_domain())
            continue;
        line.used = store::read_usage(line.home);
        if (!line.used)
            open.push_back(&line);
    }
    if (open.empty())
        return {};
    auto connection = usher(common);
    if (!connection.ok())
        return is_down(connection.error()) ? util::Result<void>() : connection.take_error();
    for (std::size_t at = 0; at < open.size(); at += ipc::max_usage_items) {
        ipc::UsageWanted wanted;
        std::size_t end = std::min(open.size(), at + ipc::max_usage_items);
        for (std::size_t i = at; i < end; ++i)
            wanted.accounts.push_back(open[i]->name);
        auto known = TRY(connection->call<ipc::UsageKnown>(wanted));
        for (const ipc::AccountUsage& usage : known.accounts)
            for (std::size_t i = at; i < end; ++i)
                if (open[i]->name == usage.account)
                    open[i]->used = store::QuotaUsage{usage.usage.bytes, usage.usage.messages, usage.usage.mailboxes};
    }
    return {};
}

// Of a domain, what its accounts hold; unknown when that of one is.
void add_up(std::vector<Line>& lines)
{
    for (Line& domain : lines) {
        if (!domain.is_domain())
            continue;
        domain.used.emplace();
        for (const Line& line : lines) {
            if (line.is_domain() || !line.name.ends_with(domain.name))
                continue;
            if (!line.used || !domain.used) {
                domain.used.reset();
                continue;
            }
            for (const Resource& resource : resources)
                *domain.used.*resource.used += *line.used.*resource.used;
        }
    }
}

// --- output ------------------------------------------------------------------------------------------

std::string size_text(std::uint64_t bytes)
{
    constexpr std::string_view units = "KMGT";
    std::uint64_t tenths = bytes * 10;
    std::size_t unit = 0;
    if (bytes < 1024)
        return concat(bytes);
    for (tenths /= 1024; tenths >= 10'240 && unit + 1 < units.size(); tenths /= 1024)
        ++unit;
    return concat(tenths / 10, '.', tenths % 10, units[unit]);
}

std::string percent_text(const std::optional<store::QuotaUsage>& used, const Resource& resource, const Limit& limit)
{
    if (!used || !limit.value)
        return "-";
    return concat(static_cast<std::uint64_t>(static_cast<long double>(*used.*resource.used) * 100 /
                                             static_cast<long double>(*limit.value)));
}

std::string text_of(const std::vector<Line>& lines)
{
    std::vector<std::vector<std::string>> rows = {
        {"name", "storage", "limit", "%", "messages", "limit", "%", "mailboxes", "limit"}};
    for (const Line& line : lines) {
        std::vector<std::string> row = {line.name};
        for (std::size_t i = 0; i < std::size(resources); ++i) {
            auto amount = [&](std::uint64_t value) { return i == 0 ? size_text(value) : concat(value); };
            row.push_back(line.used ? amount(*line.used.*resources[i].used) : "?");
            row.push_back(line.limits[i].value ? amount(*line.limits[i].value) : "none");
            if (i < 2)
                row.push_back(percent_text(line.used, resources[i], line.limits[i]));
        }
        rows.push_back(std::move(row));
    }
    return tools::table_of(rows);
}

std::string json_of(const Line& line, const QuotaLimits& each)
{
    auto number = [](const std::optional<std::uint64_t>& value) { return value ? concat(*value) : std::string("null"); };
    std::string out = concat("{\"", line.is_domain() ? "domain" : "account", "\":",
                             util::json_quote(line.is_domain() ? line.name.substr(1) : line.name));
    for (std::size_t i = 0; i < std::size(resources); ++i) {
        auto used = line.used ? std::optional(*line.used.*resources[i].used) : std::nullopt;
        util::append(out, ",\"", resources[i].name, "\":{\"used\":", number(used), ",\"limit\":", number(line.limits[i].value));
        if (!line.is_domain())
            util::append(out, ",\"from\":\"", line.limits[i].from, '"');
        out += '}';
    }
    if (line.is_domain()) {
        out += ",\"each\":{";
        for (std::size_t i = 0; i < std::size(resources); ++i)
            util::append(out, i == 0 ? "\"" : ",\"", resources[i].name, "\":",
                         (each.*resources[i].limit).value_or(0) == conf::no_limit ? "\"none\""
                                                                                  : number(each.*resources[i].limit));
        out += '}';
    }
    return out + "}\n";
}

// Those that are meant: one account, a domain with its accounts, or all.
std::vector<Line> lines_of(const QuotaContext& context, const Book& book, std::string_view name)
{
    std::vector<Line> lines;
    QuotaLimits defaults = parameters(context.defaults);
    for (const auto& [domain, quota] : book.domain_quotas()) {
        std::string line_name = concat('@', domain);
        if (name.empty() || name == line_name)
            lines.push_back(
                {.name = std::move(line_name),
                 .home = {},
                 .limits = {{value_of(quota.all().storage), "domain"}, {value_of(quota.all().messages), "domain"}, {}},
                 .used = {}});
    }
    if (name.starts_with('@') && lines.empty())
        lines.push_back({.name = std::string(name), .home = {}, .limits = {}, .used = {}});
    for (const conf::Account& account : book.accounts())
        if (!account.is_alias() &&
            (name.empty() || account.address == name || (name.starts_with('@') && account.address.ends_with(name))))
            lines.push_back(line_of(account, book.domain_quotas(), defaults));
    return lines;
}

}  // namespace

util::Result<void> quota(const QuotaContext& context)
{
    const Options& options = context.options;
    std::string name;
    if (!options.words.empty())
        name = options.words[0].starts_with('@') ? concat('@', TRY(parse_domain(options.words[0])))
                                                 : TRY(parse_name(options.words[0]));
    std::vector<Line> lines;
    conf::DomainQuotas domains;
    {
        Book book = TRY(Book::open(context.common, options.directory, context.range));
        if (!options.quota.empty())
            TRY(make_changes(context, book, name));
        else if (const conf::Account* alias = book.find_alias(name))
            return util::not_found(concat(name, " is an alias of ", alias->target, ", not an account"));
        lines = lines_of(context, book, name);
        domains = book.domain_quotas();
    }
    if (!options.quota.empty())
        return tell_usher(context.common);
    if (lines.empty() && !name.empty())
        return util::not_found(concat(name, ": no such account; \"ternuser list\" shows those there are"));
    TRY(find_usage(context.common, lines));
    add_up(lines);
    if (!options.json) {
        util::print_out(text_of(lines));
        return {};
    }
    for (const Line& line : lines) {
        auto found = line.is_domain() ? domains.find(std::string_view(line.name).substr(1)) : domains.end();
        util::print_out(json_of(line, found == domains.end() ? QuotaLimits() : found->second.each()));
    }
    return {};
}

}  // namespace ternuser
