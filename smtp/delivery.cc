#include "smtp/delivery.h"

#include "libipc/delivery_log.h"
#include "libmail/address.h"
#include "libqueue/reader.h"
#include "libutil/log.h"

#include <algorithm>

namespace smtp {

namespace {

std::int64_t microseconds(util::WallTime time) { return time.time_since_epoch().count(); }

}  // namespace

void Kept::drop()
{
    if (session)
        session->quit();
    session.reset();
}

Delivery::Delivery(Services& services, const ipc::Job& job, Report report)
    : services_(services), job_(job), report_(std::move(report)), received_(util::wall_now()), began_(util::now())
{
    for (const ipc::JobRecipient& recipient : job_.recipients) {
        Target target;
        target.recipient = &recipient;
        targets_.push_back(std::move(target));
    }
    finished_.resize(targets_.size());
}

Delivery::~Delivery() = default;

util::Result<std::string> Delivery::change_header(std::string_view header)
{
    std::string changed(header);
    if (services_.checks && services_.checks->of_header())
        changed = TRY(services_.checks->apply(changed, job_.queue_id));
    if (services_.generic && services_.generic->active())
        changed = TRY(services_.generic->rewrite(changed));
    return changed;
}

ContentChange Delivery::content_change()
{
    ContentChange change;
    HeaderChecks* checks = services_.checks;
    if ((services_.generic && services_.generic->active()) || (checks && checks->of_header()))
        change.header = [this](std::string_view header) { return change_header(header); };
    if (checks && checks->of_body())
        change.body = [this, checks](std::string_view header) -> std::unique_ptr<BodyChange> {
            return std::make_unique<BodyChecks>(services_.config, *checks, job_.queue_id, header);
        };
    return change;
}

// "<local@domain>", as other sites see it.  Invalid: it is no address.
util::Result<std::string> Delivery::path_of(std::string_view address, bool& utf8) const
{
    if (address.empty())
        return std::string("<>");
    auto parsed = TRY(mail::parse_address(address));
    if (services_.generic)
        parsed = TRY(services_.generic->map(parsed));
    utf8 = parsed.needs_utf8();
    return mail::to_path(parsed);
}

std::vector<Target*> Delivery::pending()
{
    std::vector<Target*> left;
    for (std::size_t i = 0; i < targets_.size(); ++i)
        if (!finished_[i] && targets_[i].forwarded == forwarded_)
            left.push_back(&targets_[i]);
    return left;
}

util::Result<void> Delivery::run()
{
    if (auto ready = prepare(); !ready)
        return finish_all(deferral("4.3.0", ready.error().text));
    for (Target* target : pending()) {
        auto path = path_of(target->recipient->recipient.address, target->utf8);
        if (path)
            target->path = path.take();
        else if (path.error().kind == util::Kind::Temporary)
            TRY(finish(*target, deferral("4.3.0", path.error().text)));
        else
            TRY(finish(*target, refusal("5.1.3", path.error().text)));
    }
    if (auto found = find_forwarded(); !found)
        return finish_all(deferral("4.3.0", found.error().text));
    return deliver_all();
}

// Those whom an alias of ours has put there, if both they and the sender are strangers: SRS (libmail/srs.h).
util::Result<void> Delivery::find_forwarded()
{
    bool any = std::ranges::any_of(job_.recipients, [](const ipc::JobRecipient& one) { return one.recipient.forwarded; });
    if (!any || !services_.router || services_.config.lmtp() || job_.sender.empty())
        return {};
    auto sender = TRY(mail::parse_address(job_.sender));
    srs_sender_ = TRY(services_.router->srs_sender(sender));
    if (!srs_sender_)
        return {};
    std::vector<Target*> forwarded;
    for (Target* target : pending()) {
        if (!target->recipient->recipient.forwarded)
            continue;
        auto recipient = TRY(mail::parse_address(target->recipient->recipient.address));
        bool ours = TRY(services_.router->is_ours(recipient.domain));
        if (!ours)
            forwarded.push_back(target);
    }
    for (Target* target : forwarded)
        target->forwarded = true;
    return {};
}

// A transaction has one sender: those who get the message from an SRS address come in another one.
util::Result<void> Delivery::deliver_all()
{
    turn_follows_ = std::ranges::any_of(targets_, &Target::forwarded);
    TRY(deliver());
    if (!std::exchange(turn_follows_, false))
        return {};
    forwarded_ = true;
    failure_.reset();
    postponed_.reset();
    unmet_.reset();
    pass_to_.clear();
    sessions_ = 0;
    letter_.sender = mail::to_path(*srs_sender_);
    letter_.utf8_sender = srs_sender_->needs_utf8();
    util::log::info(job_.queue_id, ": from=<", util::printable(job_.sender, 320), "> is <",
                    util::printable(mail::to_text(*srs_sender_), 320), "> where it is forwarded to");
    return deliver();
}

util::Result<void> Delivery::prepare()
{
    auto reader = queue::Reader::open(job_.message.get(), queue::Check::Content);
    if (!reader)
        return std::move(reader).take_error().in("queue file");
    reader_ = std::make_unique<queue::Reader>(reader.take());
    letter_.queue_id = job_.queue_id;
    letter_.envelope = reader_->envelope();
    letter_.sender = TRY(path_of(job_.sender, letter_.utf8_sender));
    // As it will be sent (RFC 1870 §5): a last line without end gets one.  What a server makes necessary is not known yet.
    letter_.size = reader_->content_size();
    if (auto end = TRY(reader_->end_of_content(2)); !end.empty() && end != "\r\n")
        letter_.size += 2;
    letter_.eight_bit = reader_->summary().eight_bit || letter_.envelope.eight_bit;
    letter_.verify = job_.verify;
    // RFC 8689 §4.2.1: who hears of a failure had better hear of it.
    if (letter_.envelope.requiretls && !job_.sender.empty())
        letter_.wish = trust::TlsWish::Verified;
    else if (reader_->summary().tls_optional && !letter_.envelope.requiretls && *services_.config.tls_required_enable)
        letter_.wish = trust::TlsWish::Optional;
    letter_.end = util::Deadline::at(began_ + services_.job_time);
    letter_.utf8_header = letter_.envelope.smtputf8 && TRY(has_utf8_header(*reader_));
    letter_.open = [this, change = content_change()](bool seven_bit) {
        return open_queue_source(*reader_, seven_bit, change, services_.max_converted);
    };
    return {};
}

util::Result<void> Delivery::deliver()
{
    if (pending().empty())
        return {};
    if (!TRY(try_kept()))
        TRY(try_destinations());
    if (pending().empty())
        return {};
    // RFC 8689 §4.2.1: no host is good enough, and none will be later.
    if (unmet_ && !postponed_) {
        unmet_->status.disposition = ipc::Disposition::Bounced;
        return finish_all(*unmet_);
    }
    return finish_all(postponed_ ? *postponed_ : deferral("4.4.1", "no server could be tried"));
}

// A connection that was made for other mail may lack what this message needs.
bool Delivery::is_safe_enough(const Session& session)
{
    auto wish = wish_for(session.nexthop(), session.host());
    return wish.ok() && (*wish < trust::TlsWish::Encrypted || session.is_required());
}

// True: all is done.
util::Result<bool> Delivery::try_kept()
{
    Kept& kept = services_.kept;
    if (!kept.holds(job_.nexthop) || kept.session->disturbed() || !kept.session->fits(job_.sender) ||
        !is_safe_enough(*kept.session)) {
        kept.drop();
        return false;
    }
    auto session = std::move(kept.session);
    ready_ = util::now();
    note_protection(*session);
    ++sessions_;
    session->deliver(letter_, pending());
    note_bdat(*session);
    TRY(settle(*session, false));
    put_away(std::move(session));
    return pending().empty();
}

Purpose Delivery::purpose(const Destination& destination) const
{
    auto age = util::Duration(microseconds(util::wall_now()) - job_.arrival);
    return {destination.name, destination.text, job_.sender, std::max(age, util::Duration::zero()), letter_.end};
}

util::Result<void> Delivery::try_destinations()
{
    auto destinations = destinations_of(job_.nexthop, services_.config);
    if (!destinations) {
        note_failure(deferral("4.3.5", destinations.error().text));
        return {};
    }
    for (std::size_t i = 0; i < destinations->size(); ++i)
        if (TRY(try_destination((*destinations)[i], i + 1 == destinations->size())))
            break;
    return {};
}

// True: nothing further is to be tried.
util::Result<bool> Delivery::try_destination(const Destination& destination, bool last)
{
    const Config& config = services_.config;
    HostList list = find_hosts(services_.lookup, services_.hosts, destination);
    if (list.best_mx_is_self && !config.best_mx_transport->empty()) {
        pass_to_ = *config.best_mx_transport;
        TRY(finish_all(*list.failure));
        return true;
    }
    if (list.failure)
        note_failure(std::move(*list.failure));
    for (std::size_t i = 0; i < list.hosts.size(); ++i)
        if (TRY(try_host(destination, list.hosts[i], last && i + 1 == list.hosts.size())))
            return true;
    return false;
}

util::Result<bool> Delivery::try_host(const Destination& destination, const Host& host, bool last)
{
    std::size_t limit = *services_.config.mx_session_limit;
    auto session = open_session(destination, host);
    if (!session) {
        // A server that is there and says no for good has the last word (RFC 5321 §4.2.1).
        if (!failure_->permanent())
            return letter_.end.passed();
        TRY(finish_all(*failure_));
        return true;
    }
    session->deliver(letter_, pending());
    if (note_bdat(*session)) {
        TRY(settle(*session, false));
        return try_host(destination, host, last);
    }
    ++sessions_;
    bool final_server = last || (limit > 0 && sessions_ >= limit);
    TRY(settle(*session, final_server));
    put_away(std::move(session));
    return final_server || pending().empty() || letter_.end.passed();
}

// Null: it failed, which is noted.
std::unique_ptr<Session> Delivery::begin_session(const Destination& destination, const Host& host,
                                                 const trust::TlsDecision& decision, bool& wants_clear)
{
    auto stream = services_.connect(host);
    if (!stream) {
        Failure failed = deferral("4.4.1", util::concat("connect to ", host.relay(), ": ", stream.error().text));
        failed.site = true;
        note_failure(std::move(failed));
        return nullptr;
    }
    auto session = std::make_unique<Session>(services_.session, host, stream.take(), decision);
    if (services_.without_bdat.contains(host.relay()))
        session->avoid_bdat();
    if (auto failed = session->begin(purpose(destination))) {
        session->quit();
        wants_clear = session->wants_clear();
        note_failure(std::move(*failed));
        return nullptr;
    }
    return session;
}

std::unique_ptr<Session> Delivery::open_session(const Destination& destination, const Host& host)
{
    trust::TlsDecision decision;
    auto wish = wish_for(destination.text, host);
    if (!wish) {
        note_failure(deferral("4.3.5", wish.error().text));
        return nullptr;
    }
    decision.wish = *wish;
    if (services_.session.tls)
        decision = services_.session.tls->decide(destination, host, *wish);
    if (!decision.problem.empty())
        util::log::warning(job_.queue_id, ": TLS with ", host.label(), ": ", util::printable(decision.problem));
    if (decision.refusal) {
        trust::TlsHost refused = tls_host(host);
        // What the sender wanted says nothing of the domain's policy.
        if (!decision.required())
            services_.session.tls->note({.decision = decision, .host = refused});
        Failure failed = unmet_or_deferred(deferral(decision.refusal->dsn, decision.refusal->text));
        failed.status.relay = host.relay();
        note_failure(std::move(failed));
        return nullptr;
    }
    bool wants_clear = false;
    auto session = begin_session(destination, host, decision, wants_clear);
    if (!session && wants_clear) {
        decision.level = trust::TlsLevel::None;
        decision.why += ", a handshake failed";
        session = begin_session(destination, host, decision, wants_clear);
        if (session)
            session->use_once();
    }
    if (!session)
        return nullptr;
    ready_ = util::now();
    note_protection(*session);
    return session;
}

// What of the sender's wish binds us with this host.
util::Result<trust::TlsWish> Delivery::wish_for(std::string_view destination, const Host& host)
{
    if (letter_.wish != trust::TlsWish::Verified)
        return letter_.wish;
    return services_.require_tls ? services_.require_tls->find(destination, host) : trust::TlsWish::None;
}

// True: the server is to be tried again, with DATA.
bool Delivery::note_bdat(const Session& session)
{
    if (!session.misses_bdat())
        return false;
    std::string server = session.host().relay();
    util::log::info(job_.queue_id, ": ", server, " offers CHUNKING, but does not know BDAT");
    if (services_.without_bdat.size() >= max_without_bdat)
        services_.without_bdat.clear();
    services_.without_bdat.insert(std::move(server));
    return true;
}

void Delivery::note_protection(const Session& session) const
{
    if (services_.session.tls && *services_.session.tls->config().loglevel > 0)
        util::log::info(job_.queue_id, ": protection=", session.protection(), ", host=", session.host().relay());
}

// The recipients of whom a server has said its word.
util::Result<void> Delivery::settle(Session& session, bool last)
{
    use_ = session.uses();
    keeps_ = !turn_follows_ && worth_keeping(session);
    for (Target* target : pending()) {
        if (!target->status)
            continue;
        bool deferred = target->status->disposition == ipc::Disposition::Deferred;
        if (!deferred || last || target->last_word) {
            TRY(finish(*target, {std::move(*target->status), false}));
            continue;
        }
        util::log::info(job_.queue_id, ": ", util::printable(target->status->text));
        failure_ = postponed_ = Failure{*target->status, false};
    }
    keeps_ = false;
    use_ = 0;
    return {};
}

bool Delivery::worth_keeping(const Session& session) const
{
    const Config& config = services_.config;
    std::uint64_t most = *config.connection_reuse_count_limit;
    if (!session.usable() || !session.may_be_kept() || (most > 0 && session.uses() >= most) ||
        util::now() - session.began() >= *config.connection_reuse_time_limit)
        return false;
    if (*config.connection_cache_on_demand && (job_.followed || turn_follows_))
        return true;
    auto listed = [&](const std::string& word) { return word == "static:all" || util::equal_nocase(word, job_.nexthop); };
    return std::ranges::any_of(*config.connection_cache_destinations, listed);
}

void Delivery::put_away(std::unique_ptr<Session> session)
{
    if (!worth_keeping(*session))
        return session->quit();
    services_.kept.drop();
    services_.kept = {std::move(session), job_.nexthop, util::now() + *services_.config.connection_cache_time_limit};
}

void Delivery::note_failure(Failure why)
{
    util::log::info(job_.queue_id, ": ", util::printable(why.status.text));
    if (!why.unmet)
        postponed_ = why;
    else if (!unmet_)
        unmet_ = why;
    failure_ = std::move(why);
}

// --- the end of a recipient --------------------------------------------------------------------------

// Those who have heard from a server keep what it said.
util::Result<void> Delivery::finish_all(const Failure& why)
{
    for (Target* target : pending()) {
        bool heard = target->status && !why.permanent();
        TRY(finish(*target, heard ? Failure{*target->status, false} : why));
    }
    return {};
}

util::Result<void> Delivery::finish(Target& target, Failure end)
{
    ipc::DeliveryStatus& status = end.status;
    if (services_.status_filter && pass_to_.empty())
        services_.status_filter->apply(status);
    finished_[static_cast<std::size_t>(&target - targets_.data())] = true;
    if (pass_to_.empty())
        log(target, status);
    util::Instant now = util::now();
    ipc::Outcome outcome;
    outcome.job = job_.job;
    outcome.index = target.recipient->index;
    outcome.connection_delay = (ready_.value_or(now) - began_).count();
    outcome.transmission_delay = (now - ready_.value_or(now)).count();
    outcome.destination_failed = end.site && !end.permanent();
    outcome.connected = keeps_;
    outcome.pass_to = pass_to_;
    outcome.status = std::move(status);
    return report_(outcome);
}

void Delivery::log(const Target& target, const ipc::DeliveryStatus& status) const
{
    const ipc::Recipient& recipient = target.recipient->recipient;
    util::Instant now = util::now();
    util::Instant ready = ready_.value_or(now);
    ipc::LoggedDelivery logged{.address = recipient.address,
                               .original = ipc::original_address(recipient),
                               .uses = use_,
                               .received = received_,
                               .connection = ready - began_,
                               .transmission = now - ready};
    util::log::info(ipc::delivery_line(job_, logged, status));
}

}  // namespace smtp
