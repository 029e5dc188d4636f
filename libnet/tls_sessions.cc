#include "libnet/tls_sessions.h"

#include "libutil/text.h"

#include <algorithm>

namespace net {

namespace {

bool has_expired(SSL_SESSION* session)
{
    const X509* certificate = SSL_SESSION_get0_peer(session);
    return certificate && X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0;
}

// Each with its length, so that no two lists read the same.
void add(std::string& key, std::string_view text) { util::append(key, text.size(), ':', text); }

void add_all(std::string& key, const std::vector<std::string>& texts)
{
    util::append(key, texts.size(), '*');
    for (const std::string& text : texts)
        add(key, text);
}

}  // namespace

std::string session_key(const TlsTarget& target)
{
    if (target.peer.empty())
        return {};
    std::string key;
    for (std::string_view text :
         {std::string_view(target.peer), std::string_view(target.server_name), std::string_view(target.protocols),
          std::string_view(target.ciphers), std::string_view(target.fingerprint_digest)})
        add(key, text);
    util::append(key, int(target.check), target.strict ? 's' : '-', target.alternative_names_only ? 'a' : '-');
    add_all(key, target.names);
    add_all(key, target.fingerprints);
    for (const auto* records : {&target.tlsa, &target.anchors}) {
        util::append(key, records->size(), '*');
        for (const TlsaRecord& record : *records) {
            util::append(key, int(record.usage), '.', int(record.selector), '.', int(record.matching), '.');
            add(key, record.data);
        }
    }
    return key;
}

TlsSessions::Entry& TlsSessions::entry(const std::string& key, util::Instant now)
{
    std::erase_if(entries_, [this, now](const auto& item) { return now - item.second.checked >= lifetime_; });
    if (!entries_.contains(key) && entries_.size() >= most_)
        entries_.erase(std::ranges::min_element(entries_, {}, [](const auto& item) { return item.second.checked; }));
    return entries_.try_emplace(key, Entry{.session = nullptr, .facts = {}, .checked = now}).first->second;
}

void TlsSessions::put(const std::string& key, detail::SslSession session, util::Instant now)
{
    entry(key, now).session = std::move(session);
}

void TlsSessions::note(const std::string& key, const TlsPeerFacts& facts, util::Instant checked, util::Instant now)
{
    if (facts.failure != TlsFailure::None)
        return drop(key);
    Entry& kept = entry(key, now);
    kept.facts = facts;
    kept.checked = checked;
}

std::optional<TlsSessions::Resumable> TlsSessions::take(const std::string& key, util::Instant now)
{
    auto found = entries_.find(key);
    if (found == entries_.end() || !found->second.session || !found->second.facts)
        return {};
    bool good = now - found->second.checked < lifetime_ && SSL_SESSION_is_resumable(found->second.session.get()) == 1 &&
                !has_expired(found->second.session.get());
    std::optional<Resumable> taken;
    if (good)
        taken = Resumable{std::move(found->second.session), std::move(*found->second.facts), found->second.checked};
    entries_.erase(found);
    return taken;
}

}  // namespace net
