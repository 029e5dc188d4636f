// TLS policy: what a connection must be like.
#include "libtrust/tls_policy.h"

#include "libconf/network.h"
#include "libtrust/tls_files.h"

#include <algorithm>

namespace trust {

namespace {

constexpr std::string_view config_problem = "client TLS configuration problem";

void refuse(TlsDecision& decision, std::string text)
{
    decision.refusal = TlsRefusal{"4.7.5", std::move(text)};
}

// DANE does not apply: at level dane, what holds then; at dane-only nothing may be sent.
void without_dane(TlsDecision& decision, TlsLevel instead, std::string text)
{
    if (decision.level == TlsLevel::DaneOnly)
        return refuse(decision, std::move(text));
    decision.level = instead;
    util::append(decision.why, ", ", text);
}

// The names at which TLSA records may be, in their order (RFC 7672 §2.2.2): where the host's CNAMEs lead if
// all of that was validated, and itself.
std::vector<std::string> base_domains(const TlsHost& host)
{
    std::vector<std::string> names;
    bool alias = !host.address_name.empty() && host.address_name != host.name;
    if (host.addresses_secure && alias && host.alias_secure)
        names.push_back(host.address_name);
    // A validated alias may have records though its target is not signed.
    if (host.addresses_secure || (alias && host.alias_secure))
        names.push_back(host.name);
    return names;
}

}  // namespace

std::vector<std::string> tls_match_names(const std::vector<std::string>& words, const TlsHost& host)
{
    std::vector<std::string> names;
    for (const std::string& word : words) {
        if (util::equal_nocase(word, "hostname"))
            names.push_back(host.name);
        else if (util::equal_nocase(word, "nexthop"))
            names.push_back(host.domain);
        else if (util::equal_nocase(word, "dot-nexthop"))
            names.push_back(util::concat('.', host.domain));
        else
            names.push_back(util::lower(word));
    }
    return names;
}

std::string cipher_list(const TlsConfig& config, CipherGrade grade, const std::vector<std::string>& excluded)
{
    std::string list = grade == CipherGrade::High     ? *config.high_cipherlist
                       : grade == CipherGrade::Medium ? *config.medium_cipherlist
                                                      : *config.null_cipherlist;
    for (const std::string& name : excluded)
        util::append(list, ":!", name);
    return list;
}

util::Result<TlsPolicy> TlsPolicy::open(const TlsConfig& config)
{
    TlsPolicy policy(config);
    policy.tables_ = TRY(conf::Tables::open(*config.policy_maps));
    for (const std::string& file : *config.trust_anchor_file) {
        auto anchors = read_trust_anchors(file);
        if (!anchors.ok())
            return anchors.take_error().in(config.trust_anchor_file.name());
        policy.anchors_.insert(policy.anchors_.end(), anchors->begin(), anchors->end());
    }
    return policy;
}

util::Result<TlsSite> TlsPolicy::site_of(std::string_view nexthop)
{
    if (!tables_.empty()) {
        std::vector<conf::Key> keys;
        for (std::string& text : tls_policy_keys(nexthop))
            keys.push_back({.text = std::move(text), .partial = !keys.empty()});
        auto found = TRY(tables_.lookup(keys));
        if (found) {
            auto site = parse_tls_entry(found->value);
            if (!site.ok())
                return site.take_error().in(util::concat(found->table, ": ", keys[found->key].text));
            site->key = keys[found->key].text;
            return site.take();
        }
    }
    TlsSite site;
    site.level = *config_.security_level;
    return site;
}

// RFC 8689 §4.2.1: the host's name comes from DNSSEC or a policy of MTA-STS, and its certificate is checked for it.
void TlsPolicy::require(const TlsHost& host, TlsDecision& decision)
{
    if (decision.refusal) {
        // What could not be looked up may be known later.
        if (decision.problem.empty())
            decision.refusal->dsn = "5.7.10";
        return;
    }
    if (decision.wish == TlsWish::Encrypted) {
        decision.level = std::max(decision.level, TlsLevel::Encrypt);
        return;
    }
    bool listed = decision.source == PolicySource::Sts && matches(decision.sts, host.name);
    if (host.by_mx && !host.mx_secure && !listed) {
        decision.refusal =
            TlsRefusal{"5.7.10", util::concat("REQUIRETLS: neither DNSSEC nor a policy of MTA-STS vouches for MX host ",
                                              host.name, " of ", host.domain)};
        return;
    }
    if (decision.testing) {
        decision.testing = false;
        decision.level = TlsLevel::Secure;
    }
    if (!decision.authenticates()) {
        decision.level = TlsLevel::Verify;
        decision.target.check = net::TlsCheck::Names;
        decision.target.names = {host.name};
    }
    decision.why += ", REQUIRETLS";
}

TlsDecision TlsPolicy::decide(const TlsHost& host, const TlsLookups& lookups, TlsWish wish)
{
    TlsDecision decision;
    decision.policy_domain = host.domain;
    decision.wish = wish;
    auto site = site_of(host.nexthop);
    if (!site.ok()) {
        decision.problem = util::concat(config_.policy_maps.name(), ": ", site.error().text);
        refuse(decision, std::string(config_problem));
        return decision;
    }
    decision.level = site->level;
    decision.why = site->from_table ? util::concat(config_.policy_maps.name(), ' ', util::printable(site->key, 255))
                                    : config_.security_level.name();
    if (*config_.wrappermode && !decision.mandatory()) {
        decision.problem = util::concat(config_.wrappermode.name(), " needs a level of encrypt or above");
        refuse(decision, std::string(config_problem));
        return decision;
    }
    bool optional = wish == TlsWish::Optional;
    if (optional && (decision.level == TlsLevel::Dane || decision.level == TlsLevel::DaneOnly)) {
        decision.level = decision.level == TlsLevel::Dane ? TlsLevel::May : TlsLevel::Encrypt;
        decision.why += ", TLS-Required: No";
    }
    bool published =
        !optional && !site->from_table && *config_.mta_sts && host.by_mx && !host.by_srv &&
        (decision.level == TlsLevel::May || decision.level == TlsLevel::Encrypt || decision.level == TlsLevel::Dane);
    // Where the MX records are not proved, an attacker's host could have TLSA records of its own.
    bool weak = host.by_mx && !host.mx_secure;
    if (published && weak)
        try_sts(host, lookups, decision);
    if (decision.source == PolicySource::Local && !decision.refusal &&
        (decision.level == TlsLevel::Dane || decision.level == TlsLevel::DaneOnly))
        try_dane(host, lookups, decision);
    if (published && !weak && decision.source == PolicySource::Local && !decision.refusal)
        try_sts(host, lookups, decision);
    if (decision.required())
        require(host, decision);
    complete(*site, host, decision);
    add_anchors(*site, lookups, decision);
    return decision;
}

void TlsPolicy::try_dane(const TlsHost& host, const TlsLookups& lookups, TlsDecision& decision) const
{
    bool weak = host.by_mx && !host.mx_secure;
    if (weak && (decision.level == TlsLevel::DaneOnly || *config_.dane_insecure_mx_policy == TlsLevel::May))
        return without_dane(decision, TlsLevel::May, "no DNSSEC for the destination");
    auto bases = base_domains(host);
    if (bases.empty() || !lookups.tlsa)
        return without_dane(decision, TlsLevel::May, util::concat("no DNSSEC for ", host.name));
    for (const std::string& base : bases) {
        auto answer = lookups.tlsa(base, host.port);
        // No answer must not pass for "there are none" (RFC 7672 §2.1.2).
        if (answer.status == TlsaAnswer::Status::Failed) {
            decision.problem = answer.text;
            return refuse(decision, util::concat("TLSA lookup error for ", base, ':', host.port));
        }
        if (answer.status == TlsaAnswer::Status::Found && answer.secure)
            return use_records(host, base, std::move(answer), decision);
    }
    without_dane(decision, TlsLevel::May, "no TLSA records found");
}

void TlsPolicy::use_records(const TlsHost& host, const std::string& base, TlsaAnswer answer, TlsDecision& decision) const
{
    bool weak = host.by_mx && !host.mx_secure;
    decision.tlsa = std::move(answer.records);
    if (!net::any_usable(decision.tlsa)) {
        // They say that there is TLS, and no more (RFC 7672 §2.2).
        without_dane(decision, TlsLevel::Encrypt, "TLSA records unusable");
        if (!decision.refusal)
            decision.source = PolicySource::Tlsa;
        return;
    }
    decision.source = PolicySource::Tlsa;
    util::append(decision.why, ", TLSA records of ", base, weak ? " (whose MX record is not secure)" : "");
    if (weak && *config_.dane_insecure_mx_policy == TlsLevel::Encrypt) {
        decision.level = TlsLevel::Encrypt;
        return;
    }
    net::TlsTarget& target = decision.target;
    target.check = net::TlsCheck::Dane;
    target.tlsa = decision.tlsa;
    target.server_name = base;
    // RFC 7672 §3.2.2: the base domain, and the destination before and behind its CNAMEs.
    target.names = {base};
    auto add = [&](const std::string& name) {
        if (!name.empty() && std::ranges::find(target.names, name) == target.names.end())
            target.names.push_back(name);
    };
    if (host.by_mx) {
        add(host.mx_name);
        add(host.domain);
    }
}

void TlsPolicy::try_sts(const TlsHost& host, const TlsLookups& lookups, TlsDecision& decision) const
{
    if (!lookups.sts)
        return;
    auto answer = lookups.sts(host.domain);
    if (answer.status == StsAnswer::Status::Failed) {
        decision.problem = answer.text;
        return refuse(decision, util::concat("MTA-STS policy lookup error for ", host.domain));
    }
    if (answer.status == StsAnswer::Status::None || answer.policy.mode == StsMode::None)
        return;
    decision.source = PolicySource::Sts;
    decision.sts = std::move(answer.policy);
    util::append(decision.why, ", MTA-STS policy of ", host.domain);
    net::TlsTarget& target = decision.target;
    target.check = net::TlsCheck::Names;
    target.names = {host.name};
    target.alternative_names_only = true;  // RFC 8461 §4.2
    target.server_name = host.name;
    bool listed = matches(decision.sts, host.name);
    if (decision.sts.mode == StsMode::Testing) {
        decision.testing = true;
        if (decision.level == TlsLevel::Dane)
            decision.level = TlsLevel::May;
        util::append(decision.why, listed ? " (testing)" : " (testing; it does not list the host)");
        return;
    }
    decision.level = TlsLevel::Secure;
    if (!listed)
        refuse(decision, util::concat("MTA-STS policy of ", host.domain, " does not list MX host ", host.name));
}

void TlsPolicy::complete(const TlsSite& site, const TlsHost& host, TlsDecision& decision) const
{
    net::TlsTarget& target = decision.target;
    decision.wrappermode = *config_.wrappermode;
    decision.connection_reuse = site.connection_reuse.value_or(*config_.connection_reuse);
    bool mandatory = decision.mandatory();
    target.protocols = site.protocols.value_or(mandatory ? *config_.mandatory_protocols : *config_.protocols);
    target.strict = decision.authenticates();
    target.fingerprint_digest = *config_.fingerprint_digest;

    std::vector<std::string> excluded = site.exclude.empty() ? *config_.exclude_ciphers : site.exclude;
    if (mandatory && site.exclude.empty())
        excluded.insert(excluded.end(), config_.mandatory_exclude_ciphers->begin(), config_.mandatory_exclude_ciphers->end());
    if (decision.authenticates())
        excluded.emplace_back("aNULL");
    target.ciphers =
        cipher_list(config_, site.ciphers.value_or(mandatory ? *config_.mandatory_ciphers : *config_.ciphers), excluded);

    if (target.server_name.empty()) {
        const std::string& wanted = site.servername ? *site.servername : *config_.servername;
        auto names = wanted.empty() ? std::vector<std::string>() : tls_match_names({wanted}, host);
        target.server_name = names.empty() ? std::string() : names.front();
        // RFC 6066 §3: no address is a name to ask for.
        if (conf::IpAddress::parse(target.server_name).ok())
            target.server_name.clear();
    }
    // Records or a policy that was published have said already what is checked.
    if (target.check != net::TlsCheck::None)
        return;
    if (decision.level == TlsLevel::Fingerprint) {
        target.check = net::TlsCheck::Fingerprints;
        target.fingerprints = site.match.empty() ? *config_.fingerprint_cert_match : site.match;
    } else if (decision.level == TlsLevel::Verify || decision.level == TlsLevel::Secure) {
        target.check = net::TlsCheck::Names;
        const auto& parameter = decision.level == TlsLevel::Verify ? *config_.verify_cert_match : *config_.secure_cert_match;
        target.names = tls_match_names(site.match.empty() ? parameter : site.match, host);
    }
}

// A published policy says that everybody's authorities count, and DANE that the records do.
void TlsPolicy::add_anchors(const TlsSite& site, const TlsLookups& lookups, TlsDecision& decision) const
{
    if ((decision.level != TlsLevel::Verify && decision.level != TlsLevel::Secure) || decision.source != PolicySource::Local)
        return;
    net::TlsTarget& target = decision.target;
    if (site.anchor_files.empty()) {
        target.anchors = anchors_;
        if (!anchors_.empty())
            util::append(decision.why, ", ", config_.trust_anchor_file.name());
        return;
    }
    for (const std::string& file : site.anchor_files) {
        auto anchors = lookups.anchors
                           ? lookups.anchors(file)
                           : util::Result<std::vector<net::TlsaRecord>>(util::invalid("nobody reads trust anchors"));
        if (!anchors.ok()) {
            decision.problem = util::concat(config_.policy_maps.name(), ": ", anchors.error().text);
            return refuse(decision, std::string(config_problem));
        }
        target.anchors.insert(target.anchors.end(), anchors->begin(), anchors->end());
        util::append(decision.why, ", tafile=", util::printable(file, 255));
    }
}

}  // namespace trust
