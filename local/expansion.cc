// Walking aliases, files and .forward.
#include "local/expansion.h"

#include "libmail/destinations.h"
#include "libutil/log.h"

namespace local {

using ipc::Disposition;
using mail::Destination;
using util::concat;
using util::Result;

void Expansion::begin(const std::string& address, const std::string& sender)
{
    sender_ = sender;
    Origin origin;
    origin.sender = sender;
    origin.recipient = origin.delivered_to = address;
    auto parsed = mail::parse_address(address);
    if (!parsed.ok())
        return fail(Disposition::Bounced, "5.1.3", concat("bad address: ", parsed.error().text));
    deliver(*parsed, false, std::move(origin));
}

std::string_view Expansion::user_of(const mail::Address& address) const
{
    return mail::split_extension(address.local_part, rules_.router->recipient_delimiter()).first;
}

// --- ends --------------------------------------------------------------------------------------------

void Expansion::fail(Disposition disposition, std::string_view dsn, std::string text, std::string address)
{
    End end;
    end.address = std::move(address);
    end.status.disposition = disposition;
    end.status.dsn = dsn;
    end.status.text = std::move(text);
    ends_.push_back(std::move(end));
}

// Twice the same counts once.
void Expansion::end(End::Kind kind, std::string address, const Origin& origin, std::string key)
{
    // A mailbox makes it needless to forward there, whichever comes first: answers have no order.
    if (key.starts_with("mailbox "))
        std::erase_if(ends_, [&](const End& other) {
            return other.kind == End::Kind::Forward && util::equal_nocase(other.address, address);
        });
    if (!seen_.insert(std::move(key)).second)
        return;
    End made;
    made.kind = kind;
    made.address = std::move(address);
    made.origin = origin;
    ends_.push_back(std::move(made));
}

void Expansion::forward(const mail::Address& address, const Origin& origin)
{
    std::string text = mail::to_text(address);
    // Whose mailbox has it already.
    if (seen_.contains(concat("mailbox ", util::lower(text))))
        return;
    std::string key = concat("forward ", origin.sender, " ", util::lower(text));
    end(End::Kind::Forward, std::move(text), origin, std::move(key));
}

// --- addresses ---------------------------------------------------------------------------------------

void Expansion::deliver(const mail::Address& address, bool plain, Origin origin)
{
    std::string text = mail::to_text(address);
    if (origin.depth > max_alias_depth)
        return fail(Disposition::Bounced, "5.4.6", concat("possible alias database loop for ", util::printable(text, 320)));
    // RFC 5321 §6.3.  The words are Postfix's, which people search their logs for.
    if (has_loop_(text))
        return fail(Disposition::Bounced, "5.4.6", concat("mail forwarding loop for ", util::printable(text, 320)), text);
    auto address_class = rules_.router->class_of(address.domain);
    if (!address_class.ok())
        return defer(address_class.error());
    bool local = *address_class == routing::AddressClass::Local;
    if (local && !plain) {
        auto found = deliver_by_aliases(address, origin);
        if (!found.ok())
            return defer(found.error());
        if (*found)
            return;
    }
    // Members of a mailing list, and whom other people's files name, are tried each for itself.
    bool others = !origin.owner.empty() && !util::equal_nocase(origin.owner, user_of(address));
    if (!plain && (others || origin.list == Origin::List::Include))
        return forward(address, origin);
    if (local)
        return deliver_user(address, plain, origin);
    deliver_mailbox(address, false, origin);
}

Result<bool> Expansion::deliver_by_aliases(const mail::Address& address, const Origin& origin)
{
    if (!rules_.router->has_aliases())
        return false;
    bool found = TRY(deliver_alias(address, address.local_part, origin));
    std::string_view user = user_of(address);
    if (found || user.size() == address.local_part.size())
        return found;
    Origin extended = origin;
    extended.extension = address.local_part.substr(user.size());
    return deliver_alias(address, user, extended);
}

Result<bool> Expansion::deliver_alias(const mail::Address& address, std::string_view name, const Origin& origin)
{
    if (util::equal_nocase(name, origin.alias))
        return false;
    auto found = TRY(rules_.router->find_alias(name));
    if (!found)
        return false;
    expanded_ = true;
    auto list = mail::parse_destinations(found->value, rules_.limit);
    if (!list.ok() || list->empty()) {
        std::string why = list.ok() ? "it is empty" : list.error().text;
        util::log::warning("table ", found->table, ": the entry for ", util::printable(name, 100), ": ", why);
        fail(Disposition::Deferred, "4.3.5", concat("alias ", util::printable(name, 100), ": ", why));
        return true;
    }
    Origin inner = origin;
    ++inner.depth;
    inner.list = Origin::List::Alias;
    inner.place = {.kind = ipc::Place::Kind::Alias, .name = util::lower(name), .extension = {}, .steps = {}};
    inner.alias = name;
    inner.recipient = mail::to_text(address);
    inner.extension = rules_.router->propagates("alias") ? origin.extension : std::string();
    std::string owner = TRY(owner_of(name));
    if (!owner.empty()) {
        inner.sender = inner.owner = owner;
        inner.is_mailing_list = true;
        if (!rules_.frozen_delivered_to)
            inner.delivered_to = mail::to_text(address);
    } else if (rules_.reset_owner_alias) {
        inner.sender = sender_;
        inner.owner.clear();
    }
    walk(*list, ipc::version_of(*list), inner);
    return true;
}

// The new sender: owner-NAME@domain, or with expand_owner_alias whom that stands for if it is one.
Result<std::string> Expansion::owner_of(std::string_view name)
{
    if (!rules_.owner_request_special || util::starts_with_nocase(name, "owner-") || util::ends_with_nocase(name, "-request"))
        return std::string();
    std::string owner = concat("owner-", name);
    auto found = TRY(rules_.router->find_alias(owner));
    if (!found)
        return std::string();
    mail::Address address{owner, {}};
    if (rules_.expand_owner_alias) {
        auto list = mail::parse_destinations(found->value, 1);
        if (list.ok() && list->size() == 1 && list->front().kind == Destination::Kind::Address)
            address = TRY(mail::parse_address(list->front().text));
    }
    return mail::to_text(rules_.router->complete(std::move(address)));
}

// --- lists -------------------------------------------------------------------------------------------

void Expansion::walk(const std::vector<Destination>& list, std::uint64_t version, const Origin& origin)
{
    for (std::uint32_t i = 0; i < list.size(); ++i) {
        const Destination& one = list[i];
        if (++walked_ > rules_.limit)
            return fail(Disposition::Deferred, "4.6.0",
                        concat("more than local_expansion_limit = ", rules_.limit, " destinations"));
        switch (one.kind) {
        case Destination::Kind::Address:
            walk_address(one, origin);
            break;
        case Destination::Kind::Include: {
            Question question{.place = origin.place, .address = {}, .origin = origin, .plain = false};
            question.place.steps.push_back(i);
            if (question.place.steps.size() > ipc::max_list_steps)
                return fail(Disposition::Deferred, "4.6.0", "too many :include: in each other");
            ask(std::move(question));
            break;
        }
        case Destination::Kind::Command:
        case Destination::Kind::File: {
            std::size_t before = ends_.size();
            // The same words of two users are two errands.
            bool of_user = origin.place.kind == ipc::Place::Kind::Forward;
            end(End::Kind::Errand, origin.recipient, origin,
                concat("errand ", one.kind == Destination::Kind::File, " ", of_user, of_user ? origin.place.name : "", " ",
                       one.text));
            if (ends_.size() > before) {
                ends_.back().entry = i;
                ends_.back().version = version;
            }
            break;
        }
        }
    }
}

void Expansion::walk_address(const Destination& one, const Origin& origin)
{
    auto parsed = mail::parse_address(one.text);
    if (!parsed.ok())
        return fail(Disposition::Bounced, "5.1.3", concat("bad address: ", util::printable(one.text, 320)));
    mail::Address address = rules_.router->complete(parsed.take());
    if (!origin.extension.empty() && user_of(address).size() == address.local_part.size())
        address.local_part += origin.extension;
    auto stays = stays_here(address, origin);
    if (!stays.ok())
        return defer(stays.error());
    if (!*stays)
        return forward(address, origin);
    deliver(address, one.plain, origin);
}

// Would cleanup(8) and qmgr(8) bring it back here as it is?
Result<bool> Expansion::stays_here(const mail::Address& address, const Origin& origin)
{
    routing::Router& router = *rules_.router;
    routing::AddressClass address_class = TRY(router.class_of(address.domain));
    bool local = address_class == routing::AddressClass::Local;
    if (!local && address_class != routing::AddressClass::VirtualMailbox)
        return false;
    auto sender = mail::parse_address(origin.sender);
    routing::Route route = TRY(router.route(address, sender.ok() ? *sender : mail::Address()));
    if (route.transport != transport_)
        return false;
    if (local)
        return true;
    for (routing::Canonical which : {routing::Canonical::Recipient, routing::Canonical::Both}) {
        mail::Address mapped = TRY(router.canonical(which, address));
        if (mapped != address)
            return false;
    }
    auto expanded = TRY(router.expand(address));
    return expanded.size() == 1 && expanded.front() == address;
}

void Expansion::ask(Question question)
{
    std::uint64_t number = next_question_++;
    ipc::Place place = question.place;
    std::string recipient = mail::to_text(question.address);
    if (recipient.empty())
        recipient = question.origin.recipient;
    questions_.emplace(number, std::move(question));
    ask_(number, place, recipient);
}

void Expansion::answer(std::uint64_t number, ipc::ListPart list)
{
    auto node = questions_.extract(number);
    if (!node)
        return;
    Question& question = node.mapped();
    bool is_forward = question.place.kind == ipc::Place::Kind::Forward && question.place.steps.empty();
    using enum ipc::ListPart::Result;
    if (list.result == Failed) {
        End end;
        end.status = std::move(list.status);
        ends_.push_back(std::move(end));
        return;
    }
    // An empty file of the user's is none.
    bool has_list = list.result == Found && !list.destinations.empty();
    if (is_forward && (!has_list || question.plain))
        return deliver_mailbox(question.address, list.result != NoUser, question.origin);
    if (!has_list)
        return fail(Disposition::Deferred, "4.3.5", "an :include: file is empty or not there");
    expanded_ = true;
    Origin inner = question.origin;
    ++inner.depth;
    inner.place = question.place;
    if (is_forward) {
        inner.list = Origin::List::Forward;
        inner.owner = question.place.name;
        inner.alias = question.address.local_part;
        inner.recipient = mail::to_text(question.address);
        if (!rules_.frozen_delivered_to)
            inner.delivered_to = mail::to_text(question.address);
        bool extended = !question.place.extension.empty() && rules_.router->propagates("forward");
        inner.extension = extended ? question.address.local_part.substr(question.place.name.size()) : std::string();
    } else {
        inner.list = Origin::List::Include;
        if (!rules_.router->propagates("include"))
            inner.extension.clear();
    }
    walk(list.destinations, list.version, inner);
}

}  // namespace local
