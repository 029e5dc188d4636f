// What a delivery to a destination would do, and why.
#include "tools/tern-tlscheck/check.h"

#include "libtrust/tls_files.h"
#include "libutil/text.h"
#include "smtp/site/tls_host.h"
#include "tools/tern-tlscheck/told_lookup.h"

#include <set>

namespace tlscheck {

namespace {

class Check {
public:
    Check(trust::TlsPolicy& policy, const World& world) : policy_(policy), world_(world) {}

    void try_destination(const smtp::Destination& destination)
    {
        ToldLookup lookup(world_.lookup, world_.say);
        auto list = smtp::find_hosts(lookup, world_.hosts, destination);
        const std::string& elsewhere = *world_.hosts.config.best_mx_transport;
        if (list.best_mx_is_self && !elsewhere.empty()) {
            say("  would go by best_mx_transport: ", elsewhere);
            waits_ = true;
            return;
        }
        if (list.failure) {
            const ipc::DeliveryStatus& status = list.failure->status;
            say("  would ", list.failure->permanent() ? "be returned: " : "wait: ", status.dsn, ' ', status.text);
            waits_ = !list.failure->permanent();
            return;
        }
        if (list.hosts.front().mx_asked && !list.hosts.front().by_srv)
            show_sts(destination.name);
        std::size_t limit = *world_.hosts.config.mx_address_limit;
        if (limit > 0 && list.hosts.size() > limit)
            say("a delivery tries ", limit, " of these addresses (", world_.hosts.config.mx_address_limit.name(), ')');
        for (std::size_t i = 0; i < list.hosts.size() && i < max_addresses; ++i)
            try_host(list.hosts[i], destination);
        if (list.hosts.size() > max_addresses)
            say("more addresses are not tried");
        waits_ = true;
    }

    Verdict verdict() const { return good_ ? Verdict::Good : waits_ ? Verdict::Waits : Verdict::Returned; }

private:
    template <typename... Parts>
    void say(const Parts&... parts)
    {
        world_.say(util::concat(parts...));
    }

    void show_sts(const std::string& domain)
    {
        if (!trust::may_have_sts(domain))
            return;
        auto record = trust::look_up_sts_record(world_.sts, domain);
        if (record.status != trust::StsRecordAnswer::Status::Found) {
            say("MTA-STS: ", record.text);
        } else {
            auto fetched = trust::fetch_sts_policy(world_.sts, domain);
            if (fetched.failure != trust::StsFailure::None) {
                say("MTA-STS: id ", record.id, ", ", trust::name_of(fetched.failure), ": ", fetched.text);
            } else {
                say("MTA-STS: id ", record.id, ", ", policy_text(fetched.policy));
                published_.status = trust::StsAnswer::Status::Found;
                published_.policy = std::move(fetched.policy);
                published_.id = record.id;
            }
        }
        if (!world_.kept)
            return;
        auto kept = world_.kept(domain);
        if (kept.status == trust::StsAnswer::Status::Found && (kept.id != published_.id || published_.status != kept.status))
            say("MTA-STS: sts(8) keeps id ", kept.id, ", ", policy_text(kept.policy));
        if (kept.status != trust::StsAnswer::Status::None)
            published_ = std::move(kept);
    }

    static std::string policy_text(const trust::StsPolicy& policy)
    {
        std::string text = util::concat("mode ", trust::name_of(policy.mode), ", max_age ", policy.max_age);
        for (const std::string& mx : policy.mx)
            util::append(text, ", mx ", mx);
        return text;
    }

    trust::TlsDecision decide(const trust::TlsHost& host, bool aloud)
    {
        trust::TlsLookups lookups;
        lookups.tlsa = [&](const std::string& name, std::uint16_t port) {
            auto found = world_.tlsa(name, port);
            if (aloud)
                show_tlsa(name, port, found);
            return found;
        };
        lookups.sts = [&](const std::string&) { return published_; };
        lookups.anchors = trust::read_trust_anchors;
        return policy_.decide(host, lookups);
    }

    void show_tlsa(const std::string& name, std::uint16_t port, const trust::TlsaAnswer& answer)
    {
        if (answer.status == trust::TlsaAnswer::Status::Failed)
            say("  TLSA _", port, "._tcp.", name, ": ", answer.text);
        for (const net::TlsaRecord& record : answer.records)
            say("  TLSA _", port, "._tcp.", name, ": ", net::to_text(record), " (", secure_text(answer.secure),
                net::is_usable(record) ? ")" : ", unusable)");
    }

    void try_host(const smtp::Host& server, const smtp::Destination& destination)
    {
        trust::TlsHost host = smtp::tls_host(server, destination);
        say(trust::log_name(host), " (", secure_text(host.addresses_secure), ')');
        // TLSA records are those of a name: its other addresses have the same.
        bool first = names_.insert(util::concat(host.name, ':', host.port)).second;
        auto decision = decide(host, first);
        if (!decision.problem.empty())
            say("  ", decision.problem);
        say("  level ", trust::name_of(decision.level), ": ", decision.why);
        if (decision.refusal)
            return say("  would wait: ", decision.refusal->dsn, ' ', decision.refusal->text);
        if (!world_.connects)
            return;
        auto stream = world_.connect(server);
        if (!stream.ok())
            return say("  ", stream.error().text);
        conclude(host, decision, probe(*stream, decision, *world_.tls, world_.our_name));
    }

    void conclude(const trust::TlsHost& host, const trust::TlsDecision& decision, const Probe& found)
    {
        if (!found.greeting.empty())
            say("  ", found.greeting);
        if (found.facts)
            show_facts(host, *found.facts);
        if (found.failed)
            return say("  would wait: ", found.text);
        std::optional<trust::TlsRefusal> refusal;
        if (found.trouble)
            refusal = trust::in_clear(decision, *found.trouble, host, found.text, {});
        else if (found.facts)
            refusal = trust::judge(decision, *found.facts);
        if (refusal)
            return say("  would wait: ", refusal->dsn, ' ', refusal->text);
        good_ = true;
        std::string_view why = found.text;
        if (decision.encrypts() && !found.offered)
            why = "STARTTLS is not offered";
        say("  would send: ", trust::protection(decision, found.facts ? &*found.facts : nullptr, why));
    }

    void show_facts(const trust::TlsHost& host, const net::TlsPeerFacts& facts)
    {
        say("  ", trust::connection_line(host, facts));
        if (facts.certificate.empty())
            return;
        std::string names = facts.names.empty() ? util::printable(facts.common_name, 255) : std::string();
        for (const std::string& name : facts.names)
            util::append(names, names.empty() ? "" : ", ", util::printable(name, 255));
        say("  certificate for ", names, " by ", util::printable(facts.issuer, 255));
        say("  fingerprint ", facts.certificate, ", of its key ", facts.key);
        if (!facts.failure_text.empty())
            say("  not authenticated: ", util::printable(facts.failure_text, 1000));
    }

    trust::TlsPolicy& policy_;
    const World& world_;
    trust::StsAnswer published_;
    std::set<std::string> names_;   // hosts whose TLSA records were told
    bool good_ = false;
    bool waits_ = false;
};

}  // namespace

Verdict check(const std::vector<smtp::Destination>& destinations, trust::TlsPolicy& policy, const World& world)
{
    bool waits = false;
    for (const smtp::Destination& destination : destinations) {
        if (destinations.size() > 1)
            world.say(util::concat("destination ", destination.text));
        if (destination.kind == smtp::Destination::Kind::Path) {
            world.say("a Unix socket: there is no TLS");
            return Verdict::Good;
        }
        Check one(policy, world);
        one.try_destination(destination);
        if (one.verdict() == Verdict::Good)
            return Verdict::Good;
        waits = waits || one.verdict() == Verdict::Waits;
    }
    return waits ? Verdict::Waits : Verdict::Returned;
}

}  // namespace tlscheck
