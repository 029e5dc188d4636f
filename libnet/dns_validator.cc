// DNSSEC by ourselves.
#include "libnet/dns_validator.h"

#include "libnet/dns_proof_denial.h"
#include "libutil/text.h"

#include <algorithm>

namespace net::dns {

namespace {

constexpr Type ds_type = Type(type_number::ds);
constexpr Type dnskey_type = Type(type_number::dnskey);

struct Judgement {
    Security security = Security::Secure;
    std::string why;
};

Judgement bogus(std::string why) { return {Security::Bogus, std::move(why)}; }

// "example.org", "org": a name and what is above it, below the root; the uppermost first.
std::vector<std::string_view> from_top(std::string_view name)
{
    std::vector<std::string_view> names;
    for (; !name.empty(); name = parent_of(name))
        names.push_back(name);
    std::ranges::reverse(names);
    return names;
}

std::string shown(std::string_view zone)
{
    return zone.empty() ? "." : std::string(zone);
}

}  // namespace

class Validator::Work {
public:
    Work(Validator& validator, const Fetch& fetch) :
        validator_(validator), fetch_(fetch), bounds_{.now = validator.clocks_.wall()}, now_(validator.clocks_.now())
    {
    }

    // The set at a name, in a message.
    Judgement judge_set(const SignedMessage& message, std::string_view owner, std::uint16_t type);
    Judgement judge_alias(const SignedMessage& message, std::string_view owner);
    // That there is no such set.
    Judgement judge_denial(const SignedMessage& message, std::string_view name, std::uint16_t type, Status status);
    std::uint32_t ttl() const { return ttl_; }

private:
    static constexpr std::size_t parallel_names = 4;  // whose DS records are asked for at once

    ZonePointer zone_of(std::string_view name);
    ZonePointer root();
    ZonePointer below(const ZonePointer& parent, std::string_view name, const Exchanged& answer);
    ZonePointer with_keys(std::string_view name, const std::vector<LdnsRecord>& trusted);
    std::vector<Exchanged> ask(std::vector<Question> questions);
    ZonePointer keep(std::string_view name, ZonePointer zone);
    ZonePointer make(Security security, std::string why) const
    {
        // Of failures the next question wants to know again.
        bool lasting = security == Security::Secure || security == Security::Insecure;
        return std::make_shared<Zone>(
            Zone{security, {}, std::move(why), lasting ? now_ + std::chrono::seconds(max_zone_ttl) : now_});
    }
    void shorten(std::uint32_t ttl) { ttl_ = std::min(ttl_, ttl); }

    Validator& validator_;
    const Fetch& fetch_;
    ProofBounds bounds_;
    util::Instant now_;
    unsigned queries_ = 0;
    std::uint32_t ttl_ = UINT32_MAX;
};

std::vector<Exchanged> Validator::Work::ask(std::vector<Question> questions)
{
    queries_ += unsigned(questions.size());
    if (queries_ > max_chain_queries) {
        Exchanged refused;
        refused.why = "too many queries for one chain of trust";
        std::vector<Exchanged> answers(questions.size());
        std::ranges::fill(answers, refused);
        return answers;
    }
    return fetch_(questions);
}

Validator::ZonePointer Validator::Work::keep(std::string_view name, ZonePointer zone)
{
    if (zone->expires <= now_)
        return zone;
    if (validator_.zones_.size() >= max_kept_zones)
        validator_.zones_.clear();
    validator_.zones_.insert_or_assign(std::string(name), zone);
    return zone;
}

// The zone's keys, fetched; trusted records name one of them.
Validator::ZonePointer Validator::Work::with_keys(std::string_view name, const std::vector<LdnsRecord>& trusted)
{
    Exchanged answer = std::move(ask({{std::string(name), dnskey_type}})[0]);
    if (answer.end != Exchanged::End::Answered)
        return make(Security::Unknown, util::concat("no keys of zone ", shown(name), ": ", answer.why));
    auto message = SignedMessage::parse(answer.wire);
    auto keys = message.ok() ? message->keys_by(name, trusted, bounds_) : std::nullopt;
    if (!keys)
        return make(Security::Bogus, util::concat("no trusted keys of zone ", shown(name)));
    Zone zone{Security::Secure, std::move(*keys), "", {}};
    std::uint32_t ttl = max_zone_ttl;
    for (const Record& record : answer.message.answer)
        ttl = std::min(ttl, record.ttl);
    zone.expires = now_ + std::chrono::seconds(ttl);
    return std::make_shared<Zone>(std::move(zone));
}

Validator::ZonePointer Validator::Work::root()
{
    auto kept = validator_.zones_.find("");
    if (kept != validator_.zones_.end() && kept->second->expires > now_)
        return kept->second;
    return keep("", with_keys("", validator_.anchors_));
}

// What the answer for the DS records of a name, just below `parent`'s names, says of its zone.
Validator::ZonePointer Validator::Work::below(const ZonePointer& parent, std::string_view name, const Exchanged& answer)
{
    if (answer.end != Exchanged::End::Answered)
        return make(Security::Unknown, util::concat("no DS records of ", name, ": ", answer.why));
    auto message = SignedMessage::parse(answer.wire);
    if (!message.ok())
        return make(Security::Bogus, util::concat("DS records of ", name, ": ", message.error().text));
    if (message->has(name, type_number::ds)) {
        if (!message->prove(name, type_number::ds, parent->keys, bounds_))
            return make(Security::Bogus, util::concat("no good signature of the DS records of ", name));
        auto usable = message->usable_ds(name);
        // Signed with what we do not know is as good as unsigned (RFC 4035 §5.2).
        return usable.empty() ? make(Security::Insecure, "") : with_keys(name, usable);
    }
    // A name with a CNAME is no zone.
    if (message->has(name, std::uint16_t(Type::Cname)))
        return parent;
    switch (message->deny(name, type_number::ds, parent->keys, bounds_)) {
    case Denial::NoSuchName:
    case Denial::NoData:
        return parent;
    case Denial::Delegation:
    case Denial::Unsigned:
        return make(Security::Insecure, "");
    case Denial::None:
        break;
    }
    return make(Security::Bogus, util::concat("no proof that ", name, " has no DS records"));
}

Validator::ZonePointer Validator::Work::zone_of(std::string_view name)
{
    ZonePointer zone = root();
    auto names = from_top(name);
    std::size_t next = 0;
    while (next < names.size() && zone->security == Security::Secure) {
        auto kept = validator_.zones_.find(names[next]);
        if (kept != validator_.zones_.end() && kept->second->expires > now_) {
            zone = kept->second;
            ++next;
            continue;
        }
        std::size_t end = std::min(names.size(), next + parallel_names);
        std::vector<Question> questions;
        for (std::size_t i = next; i < end; ++i)
            questions.push_back({std::string(names[i]), ds_type});
        auto answers = ask(std::move(questions));
        for (std::size_t i = 0; next < end && zone->security == Security::Secure; ++i, ++next)
            zone = keep(names[next], below(zone, names[next], answers[i]));
    }
    return zone;
}

Judgement Validator::Work::judge_set(const SignedMessage& message, std::string_view owner, std::uint16_t type)
{
    auto signers = message.signers(owner, type);
    if (signers.empty()) {
        ZonePointer zone = zone_of(owner);
        if (zone->security == Security::Secure)
            return bogus(util::concat("no signature of zone ", shown(zone->keys.zone)));
        return {zone->security, zone->why};
    }
    Judgement last = bogus("no good signature");
    for (const std::string& signer : signers) {
        ZonePointer zone = zone_of(signer);
        if (zone->security != Security::Secure) {
            last = {zone->security, zone->why};
            if (zone->security == Security::Insecure)
                return last;
            continue;
        }
        auto proven = zone->keys.zone == signer ? message.prove(owner, type, zone->keys, bounds_) : std::nullopt;
        if (!proven) {
            last = bogus(util::concat("no good signature of zone ", shown(signer)));
            continue;
        }
        shorten(proven->ttl);
        if (proven->labels == label_count(owner))
            return {};
        switch (message.deny_closer(owner, proven->labels, zone->keys, bounds_)) {
        case Denial::NoSuchName:
            return {};
        case Denial::Unsigned:
            return {Security::Insecure, ""};
        default:
            last = bogus("no proof that the wildcard's records are the name's");
        }
    }
    return last;
}

Judgement Validator::Work::judge_alias(const SignedMessage& message, std::string_view owner)
{
    constexpr auto cname = std::uint16_t(Type::Cname);
    if (message.signers(owner, cname).empty())
        if (auto redirection = message.redirection_of(owner))
            return judge_set(message, *redirection, type_number::dname);
    return judge_set(message, owner, cname);
}

Judgement Validator::Work::judge_denial(const SignedMessage& message, std::string_view name, std::uint16_t type, Status status)
{
    // Whose proof it is; without any, the name must be unsigned.
    auto denying = message.denying_zone();
    bool above = denying && (denying->empty() || *denying == name || name.ends_with(util::concat('.', *denying)));
    ZonePointer zone = zone_of(above ? std::string_view(*denying) : name);
    if (zone->security != Security::Secure)
        return {zone->security, zone->why};
    if (!above || zone->keys.zone != *denying)
        return bogus("no proof that there is nothing");
    Denial wanted = status == Status::NoSuchName ? Denial::NoSuchName : Denial::NoData;
    Denial denial = message.deny(name, type, zone->keys, bounds_);
    if (denial == Denial::Unsigned)
        return {Security::Insecure, ""};
    return denial == wanted ? Judgement() : bogus("no proof that there is nothing");
}

void Validator::judge(const Question& question, std::string_view wire, Outcome& outcome, const Fetch& fetch)
{
    if (outcome.status == Status::Malformed)
        return;
    auto message = SignedMessage::parse(wire);
    Work work(*this, fetch);
    Judgement judgement = message.ok() ? Judgement() : bogus(message.error().text);
    std::string name = question.name;
    bool secure = true;
    auto good = [&] { return judgement.security == Security::Secure || judgement.security == Security::Insecure; };
    for (unsigned i = 0; i < outcome.aliases && good(); ++i) {
        judgement = work.judge_alias(*message, name);
        secure = secure && judgement.security == Security::Secure;
        name = message->alias_of(name).value_or(outcome.name);
    }
    outcome.secure_name = secure && good();
    if (good() && !outcome.incomplete) {
        auto type = std::uint16_t(question.type);
        judgement = outcome.status == Status::Found ? work.judge_set(*message, outcome.name, type)
                                                    : work.judge_denial(*message, outcome.name, type, outcome.status);
        secure = secure && judgement.security == Security::Secure;
    }
    outcome.secure = secure && good();
    if (outcome.aliases == 0)
        outcome.secure_name = outcome.secure;
    outcome.ttl = std::min(outcome.ttl, work.ttl());
    if (good())
        return;
    outcome.status = judgement.security == Security::Bogus ? Status::Bogus : Status::TryAgain;
    outcome.why = std::move(judgement.why);
    outcome.records.clear();
    outcome.incomplete = outcome.secure = outcome.secure_name = false;
}

}  // namespace net::dns
