// Session: receive a message, seal it, let qmgr rule, answer.
#include "cleanup/session.h"

#include "libutil/log.h"

namespace cleanup {

using Kind = ipc::Verdict::Kind;

util::Result<void> Session::run(const std::function<void()>& begins)
{
    TRY(greet());
    for (;;) {
        auto packet = TRY(ipc::receive_packet(client_.fd()));
        if (!packet)
            return {};
        if (packet->name() == ipc::Renounce::message_name) {
            TRY(greet());
            continue;
        }
        begins();
        auto begin = TRY(ipc::decode<ipc::Begin>(*packet));
        if (begin.envelope.queue_id != id_)
            return util::invalid("a message with another queue id than it was given");
        auto failed = TRY(receive(begin));
        bool client_gone = false;
        ipc::Verdict verdict = failed ? std::move(*failed) : commit(client_gone);
        transaction_.forget();
        if (client_gone)
            return {};
        id_ = ids_.next(util::wall_now());
        verdict.next_queue_id = id_;
        TRY(client_.send(verdict));
        // An early verdict: what is on its way is taken, so that the client gets to read it.
        if (!last_)
            return drain();
    }
}

util::Result<void> Session::greet()
{
    id_ = ids_.next(util::wall_now());
    ipc::Greeting greeting;
    greeting.next_queue_id = id_;
    return client_.send(greeting);
}

util::Result<std::optional<Failure>> Session::receive(ipc::Begin& begin)
{
    last_ = begin.last;
    if (auto failed = transaction_.begin(std::move(begin.envelope)))
        return failed;
    if (auto failed = transaction_.add_recipients(begin.recipients))
        return failed;
    bool content = !begin.content.empty();
    if (auto failed = transaction_.add_content(begin.content))
        return failed;
    while (!last_) {
        ipc::Packet packet = TRY(client_.receive());
        if (packet.name() == ipc::More::message_name && !content) {
            auto more = TRY(ipc::decode<ipc::More>(packet));
            if (auto failed = transaction_.add_recipients(more.recipients))
                return failed;
            continue;
        }
        auto piece = TRY(ipc::decode<ipc::Content>(packet));
        content = true;
        last_ = piece.last;
        if (auto failed = transaction_.add_content(piece.content))
            return failed;
    }
    return transaction_.finish();
}

util::Result<void> Session::drain()
{
    for (;;) {
        auto packet = TRY(ipc::receive_packet(client_.fd()));
        if (!packet)
            return {};
        if (packet->name() == ipc::Content::message_name && TRY(ipc::decode<ipc::Content>(*packet)).last)
            return {};
    }
}

namespace {

ipc::Verdict accepted(Kind kind, const std::string& id)
{
    return failure(kind, 250, "2.0.0", util::concat("Ok: queued as ", id));
}

}  // namespace

ipc::Verdict Session::commit(bool& client_gone)
{
    const ipc::Envelope& envelope = transaction_.envelope();
    bool race = (envelope.origin == ipc::Origin::Smtp || envelope.origin == ipc::Origin::Local) && !transaction_.held();
    auto answer = manager_.offer(id_, transaction_.message().get(), transaction_.file_size(), race,
                                 transaction_.expanded(), client_.fd());
    client_gone = answer.client_gone;
    if (client_gone)
        return {};
    switch (answer.ruling.kind) {
    case ipc::Ruling::Kind::Delivered:
        return accepted(Kind::Delivered, id_);
    case ipc::Ruling::Kind::Refused:
        return failure(Kind::Refused, 550, answer.ruling.dsn, answer.ruling.text);
    case ipc::Ruling::Kind::Keep:
        break;
    }
    // Its asker asks again: a probe is never kept.
    if (envelope.report == ipc::Report::Probe) {
        manager_.not_named(id_);
        return failure(Kind::Failed, 451, "4.3.0", "mail system is not ready");
    }
    return keep();
}

ipc::Verdict Session::keep()
{
    if (auto named = transaction_.name(); !named) {
        util::log::error(id_, ": cannot be kept: ", named.error().text);
        manager_.not_named(id_);
        return queue_failure(named.error());
    }
    manager_.named(id_);
    return accepted(Kind::Kept, id_);
}

}  // namespace cleanup
