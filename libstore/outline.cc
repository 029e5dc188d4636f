// Outlines of mailboxes (see outline.h).
#include "libstore/outline.h"

#include "libstore/codec.h"
#include "libstore/visibility.h"

#include <algorithm>

namespace store {

Outline outline_of(const Mailbox& mailbox, Lsn horizon)
{
    Outline outline;
    std::size_t end = visible_end(mailbox, horizon);
    outline.uids.resize(end);
    for (std::size_t i = 0; i < end; ++i)
        outline.uids[i] = mailbox.entries[i].uid;
    outline.uid_next = visible_uid_next(mailbox, end);
    auto last = mailbox.entries.begin() + std::ptrdiff_t(end);
    auto is_unseen = [](const Entry& entry) { return !(entry.flags & Seen); };
    auto unseen = mailbox.unseen == 0 ? last : std::find_if(mailbox.entries.begin(), last, is_unseen);
    if (unseen != last)
        outline.first_unseen = unseen->uid;
    return outline;
}

void OutlineWriter::add(const Entry& entry)
{
    if (first_unseen_ == 0 && !(entry.flags & Seen))
        first_unseen_ = entry.uid;
    if (run_first_ != 0 && entry.uid != run_last_ + 1)
        end_run();
    if (run_first_ == 0)
        run_first_ = entry.uid;
    run_last_ = entry.uid;
}

void OutlineWriter::end_run()
{
    Writer writer(runs_);
    writer.varint(run_first_ - before_ - 1);   // uids that are not there
    writer.varint(run_last_ - run_first_ + 1);
    before_ = run_last_;
    run_first_ = 0;
}

std::string OutlineWriter::take()
{
    if (run_first_ != 0)
        end_run();
    std::string bytes;
    Writer(bytes).u32(first_unseen_);
    bytes += runs_;
    *this = {};
    return bytes;
}

std::optional<Outline> decode_outline(std::string_view bytes, std::uint32_t messages)
{
    Outline outline;
    Reader reader(bytes);
    outline.first_unseen = reader.u32();
    outline.uids.reserve(messages);
    std::uint64_t next = 1;
    while (reader.ok() && !reader.left().empty()) {
        std::uint64_t first = next + reader.varint();
        std::uint64_t count = reader.varint();
        if (count == 0 || count > messages - outline.uids.size() || first + count - 1 > UINT32_MAX)
            return std::nullopt;
        next = first + count;
        for (std::uint64_t uid = first; uid < next; ++uid)
            outline.uids.push_back(std::uint32_t(uid));
    }
    if (!reader.ok() || outline.uids.size() != messages ||
        (outline.first_unseen != 0 && !std::ranges::binary_search(outline.uids, outline.first_unseen)))
        return std::nullopt;
    return outline;
}

}  // namespace store
