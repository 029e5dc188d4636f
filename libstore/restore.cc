// Deleted mail: what there is, putting it back, forgetting it; and the check of everything.
#include "libstore/journal.h"
#include "libutil/text.h"

#include <algorithm>
#include <bit>

namespace store {

util::Result<std::vector<DeletedMessage>> LogStore::deleted_messages()
{
    TRY(load_kept());
    std::vector<DeletedMessage> messages;
    for (const auto& item : state_.kept) {
        DeletedMessage message{item.mailbox, {}, item.seconds, item.entry};
        if (const Folder* folder = state_.folder(item.mailbox))
            message.mailbox_name = folder->name;
        else if (auto name = state_.removed_names.find(item.mailbox); name != state_.removed_names.end())
            message.mailbox_name = name->second;
        messages.push_back(std::move(message));
    }
    return messages;
}

util::Result<Copied> LogStore::restore(MailboxId from, std::span<const std::uint32_t> uids, MailboxId to)
{
    Folder* folder = TRY(target(to));
    TRY(load_kept());
    const Folder* source = state_.folder(from);
    std::vector<std::uint32_t> wanted(uids.begin(), uids.end());
    std::ranges::sort(wanted);
    Copied copied;
    copied.uid_validity = folder->uid_validity;
    CopyRecord record{.kind = CopyRecord::Kind::Restore, .from = from, .to = to, .items = {}};
    std::uint64_t bytes = 0;
    for (const auto& item : state_.kept) {
        if (item.mailbox != from || !std::ranges::binary_search(wanted, item.entry.uid))
            continue;
        record.items.push_back({item.entry.uid, item.entry});
        bytes += item.entry.size;
    }
    if (record.items.empty())
        return copied;
    if (record.items.size() > (max_record_size >> 1) / (entry_size + 4))
        return util::permanent("too many messages at once");
    if (folder->uid_next >= UINT32_MAX - record.items.size())
        return util::permanent("no uids left in the mailbox");
    TRY(check_quota(*folder, {.bytes = bytes, .messages = record.items.size()}, Growth::Client));
    std::ranges::sort(record.items, {}, &CopyRecord::Item::source);
    std::uint32_t next = folder->uid_next;
    for (auto& item : record.items) {
        // Of a mailbox that is gone the names of the keywords are gone too.
        std::vector<std::string> names;
        for (Keywords rest = source ? item.entry.keywords : 0; rest; rest &= rest - 1)
            if (std::size_t bit = std::size_t(std::countr_zero(rest)); bit < source->keywords.size())
                names.push_back(source->keywords[bit]);
        item.entry.keywords = TRY(keyword_bits(*folder, names));
        item.entry.flags &= ~Deleted;
        item.entry.uid = next++;
        item.entry.save_seconds = wall_seconds();
        copied.source.push_back(item.source);
        copied.target.push_back(item.entry.uid);
    }
    TRY(prepare(record.items.size() * (entry_size + 4) + 64, record.items.size(), Room::Growth));
    copied.lsn = add(record, record.items.size());
    strict();
    changed(to);
    return copied;
}

util::Result<Lsn> LogStore::purge_deleted(std::int64_t before, bool now)
{
    if (failure_)
        return *failure_;
    TRY(load_kept());
    Lsn upto = 0;
    for (const auto& item : state_.kept) {
        if (item.seconds >= before)
            break;
        upto = item.lsn;
    }
    if (upto)
        TRY(purge_upto(upto));
    compact_now_ |= now;
    return state_.last;
}

// --- check ----------------------------------------------------------------------------------------

util::Result<void> LogStore::check_segments(CheckReport& report, std::set<Lsn>& annotations)
{
    for (const auto& segment : segments_) {
        ++report.segments;
        int fd = TRY(segment_fd(segment.id));
        std::string bytes = TRY(read_segment(fd, 0));
        std::string name = segment_name(segment.id);
        report.bytes += bytes.size();
        auto header = decode_segment_header(bytes);
        if (!header || header->tag != tag_ || header->id != segment.id)
            report.problems.push_back(util::concat(name, ": bad header"));
        Scan scan = scan_segment(bytes, tag_, false);
        report.records += scan.frames.size();
        for (const auto& frame : scan.frames)
            if (frame.header.type == Type::Annotating && AnnotationRecord::decode(frame.meta()))
                annotations.insert(frame.header.lsn);
        for (const auto& gap : scan.gaps)
            report.problems.push_back(util::concat(name, ": ", gap.length, " bad bytes at ", gap.offset));
        if (scan.tail > 0)
            report.problems.push_back(util::concat(name, ": ", scan.tail, " bad bytes at ", scan.end));
    }
    return {};
}

void LogStore::check_messages(CheckReport& report)
{
    auto examine = [&](const Entry& entry, std::string_view where) {
        ++report.messages;
        std::string problem;
        if (auto texts = read_rendered(entry); !texts.ok())
            problem = texts.error().text;
        else if (auto content = read_content(entry, 0, UINT64_MAX); !content.ok())
            problem = content.error().text;
        if (!problem.empty())
            report.problems.push_back(util::concat(where, ", uid ", entry.uid, ": ", problem));
        if (const Content* content = state_.content(entry.content); content && content->in_file)
            report.bytes += entry.size;
    };
    for (const auto& [id, folder] : state_.folders)
        for (const auto& entry : folder->entries)
            examine(entry, folder->name);
    for (const auto& item : state_.kept)
        examine(item.entry, "deleted mail");
}

void LogStore::check_annotations(const std::set<Lsn>& found, CheckReport& report)
{
    auto examine = [&](const Annotations& annotations, std::string_view where) {
        for (const auto& [name, annotation] : annotations)
            if (!found.contains(annotation.lsn))
                report.problems.push_back(util::concat(where, ": the record of ", util::printable(name, 100), " is lost"));
    };
    examine(state_.annotations, "the account");
    for (const auto& [id, folder] : state_.folders)
        examine(folder->annotations, folder->name);
}

util::Result<CheckReport> LogStore::check()
{
    TRY(sync());
    TRY(load_all());
    CheckReport report;
    std::set<Lsn> annotations;
    TRY(check_segments(report, annotations));
    check_messages(report);
    check_annotations(annotations, report);
    return report;
}

}  // namespace store
