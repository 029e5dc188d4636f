// What of a mailbox sessions may show.
#include "libstore/visibility.h"

namespace store {

std::size_t visible_end(const Mailbox& mailbox, Lsn horizon)
{
    std::size_t end = mailbox.entries.size();
    std::uint32_t first_hidden = 0;
    for (std::size_t i = mailbox.changes.size(); i-- > 0 && mailbox.changes[i].lsn > horizon;)
        if (mailbox.changes[i].kind == Change::Kind::Arrived)
            first_hidden = mailbox.changes[i].uid;
    if (first_hidden != 0)
        end = mailbox.lower_bound(first_hidden);
    // Where the history does not reach back far enough, be careful.
    if (mailbox.changes_from > horizon)
        while (end > 0 && mailbox.entries[end - 1].modseq > horizon)
            --end;
    return end;
}

std::uint64_t list_fingerprint(const Store& store)
{
    std::uint64_t print = 14'695'981'039'346'656'037U;   // FNV-1a
    auto take = [&print](std::string_view bytes) {
        for (char byte : bytes)
            print = (print ^ std::uint8_t(byte)) * 1'099'511'628'211U;
        print = (print ^ 0xff) * 1'099'511'628'211U;   // no byte of a name in UTF-8
    };
    for (const auto& [name, id] : store.mailboxes()) {
        take(name);
        take({reinterpret_cast<const char*>(&id), sizeof id});
    }
    take({});
    for (const auto& name : store.subscriptions())
        take(name);
    return print;
}

std::uint32_t visible_uid_next(const Mailbox& mailbox, std::size_t visible)
{
    return visible < mailbox.entries.size() ? mailbox.entries[visible].uid : mailbox.uid_next;
}

}  // namespace store
