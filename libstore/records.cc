// Bytes of the records (see records.h and tern-store(5)).
#include "libstore/records.h"

#include "libstore/codec.h"
#include "libutil/crc32c.h"

#include <algorithm>
#include <cstddef>

namespace store {

static_assert(sizeof(Entry) == entry_size && offsetof(Entry, keywords) == 8 &&
              offsetof(Entry, modseq) == 16 && offsetof(Entry, content) == 24 &&
              offsetof(Entry, size) == 32 && offsetof(Entry, internal_date) == 40 &&
              offsetof(Entry, save_seconds) == 56 && offsetof(Entry, guid) == 64,
              "snapshots hold entries as they are in memory");

void encode_entry(const Entry& entry, std::string& out)
{
    Writer writer(out);
    writer.u32(entry.uid);
    writer.u32(entry.flags);
    writer.u64(entry.keywords);
    writer.u64(entry.modseq);
    writer.u64(entry.content);
    writer.u64(entry.size);
    writer.i64(entry.internal_date.seconds);
    writer.i16(entry.internal_date.zone_minutes);
    writer.raw(std::string_view("\0\0\0\0\0\0", 6));
    writer.i64(entry.save_seconds);
    writer.raw({reinterpret_cast<const char*>(entry.guid.bytes.data()), entry.guid.bytes.size()});
}

namespace {

Entry decode_entry(Reader& reader)
{
    Entry entry;
    std::string_view bytes = reader.raw(entry_size);
    if (!reader.ok())
        return entry;
    std::memcpy(&entry, bytes.data(), entry_size);
    if (entry.uid == 0 || entry.uid == UINT32_MAX)
        reader.fail();
    return entry;
}

void encode_ranges(const UidRanges& ranges, Writer& writer)
{
    writer.u32(std::uint32_t(ranges.size()));
    for (const auto& range : ranges) {
        writer.u32(range.first);
        writer.u32(range.last);
    }
}

void encode_texts(const std::vector<std::string>& texts, Writer& writer)
{
    writer.u32(std::uint32_t(texts.size()));
    for (const auto& text : texts)
        writer.text(text);
}

std::vector<std::string> decode_texts(Reader& reader)
{
    std::vector<std::string> texts(reader.count(4));
    for (auto& text : texts)
        text = reader.text();
    return texts;
}

template <typename Record>
std::optional<Record> checked(const Reader& reader, Record record)
{
    if (!reader.ok())
        return std::nullopt;
    return record;
}

}  // namespace

UidRanges decode_ranges(Reader& reader)
{
    UidRanges ranges(reader.count(8));
    std::uint32_t last = 0;
    for (auto& range : ranges) {
        range.first = reader.u32();
        range.last = reader.u32();
        if (range.first <= last || range.last < range.first)
            reader.fail();
        last = range.last;
    }
    return ranges;
}

std::vector<std::uint32_t> block_checksums(std::string_view content)
{
    std::vector<std::uint32_t> sums;
    sums.reserve((content.size() + content_block - 1) / content_block);
    for (std::size_t start = 0; start < content.size(); start += content_block)
        sums.push_back(util::crc32c(content.substr(start, content_block)));
    return sums;
}

void MessageRecord::encode(std::string& out) const
{
    Writer writer(out);
    writer.u64(mailbox);
    encode_entry(entry, out);
    writer.i64(sent_seconds);
    writer.u32(header_size);
    writer.u8(in_file);
    for (std::uint32_t length : rendered_lengths)
        writer.u32(length);
    writer.u32(rendered_checksum);
    writer.u32(std::uint32_t(block_checksums.size()));
    for (std::uint32_t sum : block_checksums)
        writer.u32(sum);
    writer.text(queue_id);
    writer.text(recipient);
}

std::optional<MessageRecord> MessageRecord::decode(std::string_view meta)
{
    Reader reader(meta);
    MessageRecord record;
    record.mailbox = reader.u64();
    record.entry = decode_entry(reader);
    record.sent_seconds = reader.i64();
    record.header_size = reader.u32();
    record.in_file = reader.u8() != 0;
    for (auto& length : record.rendered_lengths)
        length = reader.u32();
    record.rendered_checksum = reader.u32();
    record.block_checksums.resize(reader.count(4));
    for (auto& sum : record.block_checksums)
        sum = reader.u32();
    record.queue_id = reader.text();
    record.recipient = reader.text();
    if (record.block_checksums.size() !=
        record.entry.size / content_block + (record.entry.size % content_block != 0))
        reader.fail();
    return checked(reader, std::move(record));
}

std::size_t MessageRecord::rendered_size() const
{
    std::size_t sum = 0;
    for (std::uint32_t length : rendered_lengths)
        sum += length;
    return sum;
}

bool MessageRecord::verify(const Frame& frame) const
{
    std::string_view body = frame.bytes.substr(record_header_size + frame.header.meta_length);
    std::size_t rendered = rendered_size();
    if (body.size() != rendered + (in_file ? 0 : entry.size))
        return false;
    if (util::crc32c(body.substr(0, rendered)) != rendered_checksum)
        return false;
    return in_file || store::block_checksums(body.substr(rendered)) == block_checksums;
}

void FlagsRecord::encode(std::string& out) const
{
    Writer writer(out);
    writer.u64(mailbox);
    writer.u32(std::uint32_t(groups.size()));
    for (const auto& group : groups) {
        writer.u32(group.flags);
        writer.u64(group.keywords);
        encode_ranges(group.uids, writer);
    }
}

std::optional<FlagsRecord> FlagsRecord::decode(std::string_view meta)
{
    Reader reader(meta);
    FlagsRecord record;
    record.mailbox = reader.u64();
    record.groups.resize(reader.count(16));
    for (auto& group : record.groups) {
        group.flags = reader.u32();
        group.keywords = reader.u64();
        group.uids = decode_ranges(reader);
    }
    return checked(reader, std::move(record));
}

void CopyRecord::encode(std::string& out) const
{
    Writer writer(out);
    writer.u8(std::uint8_t(kind));
    writer.u64(from);
    writer.u64(to);
    writer.u32(std::uint32_t(items.size()));
    for (const auto& item : items) {
        writer.u32(item.source);
        encode_entry(item.entry, out);
    }
}

std::optional<CopyRecord> CopyRecord::decode(std::string_view meta)
{
    Reader reader(meta);
    CopyRecord record;
    record.kind = Kind(reader.u8());
    if (record.kind > Kind::Restore)
        reader.fail();
    record.from = reader.u64();
    record.to = reader.u64();
    record.items.resize(reader.count(4 + entry_size));
    for (auto& item : record.items) {
        item.source = reader.u32();
        item.entry = decode_entry(reader);
    }
    return checked(reader, std::move(record));
}

void ExpungeRecord::encode(std::string& out) const
{
    Writer writer(out);
    writer.u64(mailbox);
    writer.i64(seconds);
    encode_ranges(uids, writer);
}

std::optional<ExpungeRecord> ExpungeRecord::decode(std::string_view meta)
{
    Reader reader(meta);
    ExpungeRecord record;
    record.mailbox = reader.u64();
    record.seconds = reader.i64();
    record.uids = decode_ranges(reader);
    return checked(reader, std::move(record));
}

namespace {

enum LimitBits : std::uint8_t { LimitsBytes = 1, LimitsMessages = 2, LimitsFixed = 4 };

}  // namespace

void encode_limits(const Limits& limits, bool fixed, std::string& out)
{
    Writer writer(out);
    writer.u8(
        std::uint8_t((limits.bytes ? LimitsBytes : 0) | (limits.messages ? LimitsMessages : 0) | (fixed ? LimitsFixed : 0)));
    writer.u64(limits.bytes.value_or(0));
    writer.u64(limits.messages.value_or(0));
}

bool decode_limits(std::string_view bytes, Limits& limits, bool& fixed)
{
    Reader reader(bytes);
    std::uint8_t bits = reader.u8();
    std::uint64_t most_bytes = reader.u64();
    std::uint64_t most_messages = reader.u64();
    if (!reader.ok())
        return false;
    limits = {};
    if (bits & LimitsBytes)
        limits.bytes = most_bytes;
    if (bits & LimitsMessages)
        limits.messages = most_messages;
    fixed = bits & LimitsFixed;
    return true;
}

void MailboxRecord::encode(std::string& out) const
{
    Writer writer(out);
    writer.u64(id);
    writer.text(name);
    writer.u32(uid_validity);
    writer.u32(uid_next);
    writer.u32(first_recent_uid);
    writer.u8(std::uint8_t(special_use));
    encode_texts(keywords, writer);
    writer.u8(census);
    encode_ranges(live, writer);
    if (limits.any() || limits_fixed)
        encode_limits(limits, limits_fixed, out);
}

std::optional<MailboxRecord> MailboxRecord::decode(std::string_view meta)
{
    Reader reader(meta);
    MailboxRecord record;
    record.id = reader.u64();
    record.name = reader.text();
    record.uid_validity = reader.u32();
    record.uid_next = reader.u32();
    record.first_recent_uid = reader.u32();
    record.special_use = SpecialUse(reader.u8());
    if (record.special_use > SpecialUse::Trash)
        record.special_use = SpecialUse::None;
    record.keywords = decode_texts(reader);
    if (record.keywords.size() > max_keywords)
        reader.fail();
    record.census = reader.u8() != 0;
    record.live = decode_ranges(reader);
    decode_limits(reader.left(), record.limits, record.limits_fixed);
    return checked(reader, std::move(record));
}

void MailboxRemovedRecord::encode(std::string& out) const
{
    Writer writer(out);
    writer.u64(id);
    writer.i64(seconds);
    writer.text(name);
}

std::optional<MailboxRemovedRecord> MailboxRemovedRecord::decode(std::string_view meta)
{
    Reader reader(meta);
    MailboxRemovedRecord record;
    record.id = reader.u64();
    record.seconds = reader.i64();
    record.name = reader.text();
    return checked(reader, std::move(record));
}

void SubscriptionRecord::encode(std::string& out) const
{
    Writer writer(out);
    writer.u8(on);
    writer.text(name);
}

std::optional<SubscriptionRecord> SubscriptionRecord::decode(std::string_view meta)
{
    Reader reader(meta);
    SubscriptionRecord record;
    record.on = reader.u8() != 0;
    record.name = reader.text();
    return checked(reader, std::move(record));
}

void KeywordRecord::encode(std::string& out) const
{
    Writer writer(out);
    writer.u64(mailbox);
    writer.u32(index);
    writer.text(name);
}

std::optional<KeywordRecord> KeywordRecord::decode(std::string_view meta)
{
    Reader reader(meta);
    KeywordRecord record;
    record.mailbox = reader.u64();
    record.index = reader.u32();
    record.name = reader.text();
    if (record.index >= max_keywords)
        reader.fail();
    return checked(reader, std::move(record));
}

void RecentRecord::encode(std::string& out) const
{
    Writer writer(out);
    writer.u64(mailbox);
    writer.u32(first_recent_uid);
}

std::optional<RecentRecord> RecentRecord::decode(std::string_view meta)
{
    Reader reader(meta);
    RecentRecord record;
    record.mailbox = reader.u64();
    record.first_recent_uid = reader.u32();
    return checked(reader, std::move(record));
}

void ReserveRecord::encode(std::string& out) const
{
    Writer writer(out);
    writer.u64(ceiling);
    writer.u8(recovered);
    writer.u32(uid_bump);
}

std::optional<ReserveRecord> ReserveRecord::decode(std::string_view meta)
{
    Reader reader(meta);
    ReserveRecord record;
    record.ceiling = reader.u64();
    record.recovered = reader.u8() != 0;
    record.uid_bump = reader.u32();
    return checked(reader, std::move(record));
}

void ClosedRecord::encode(std::string&) const {}

std::optional<ClosedRecord> ClosedRecord::decode(std::string_view)
{
    return ClosedRecord{};
}

void CensusRecord::encode(std::string& out) const
{
    Writer writer(out);
    writer.u32(last_uid_validity);
    writer.u64(recovered);
    writer.u64(purged);
    writer.u32(std::uint32_t(mailboxes.size()));
    for (MailboxId id : mailboxes)
        writer.u64(id);
    encode_texts(subscriptions, writer);
}

std::optional<CensusRecord> CensusRecord::decode(std::string_view meta)
{
    Reader reader(meta);
    CensusRecord record;
    record.last_uid_validity = reader.u32();
    record.recovered = reader.u64();
    record.purged = reader.u64();
    record.mailboxes.resize(reader.count(8));
    for (auto& id : record.mailboxes)
        id = reader.u64();
    record.subscriptions = decode_texts(reader);
    return checked(reader, std::move(record));
}

void PurgeRecord::encode(std::string& out) const
{
    Writer writer(out);
    writer.u64(limit);
}

std::optional<PurgeRecord> PurgeRecord::decode(std::string_view meta)
{
    Reader reader(meta);
    PurgeRecord record;
    record.limit = reader.u64();
    return checked(reader, std::move(record));
}

void AnnotationRecord::encode(std::string& out) const
{
    Writer writer(out);
    writer.u64(holder);
    writer.text(name);
    writer.u8(present);
    writer.text(value);
}

std::optional<AnnotationRecord> AnnotationRecord::decode(std::string_view meta)
{
    Reader reader(meta);
    AnnotationRecord record;
    record.holder = reader.u64();
    record.name = reader.text();
    record.present = reader.u8() != 0;
    record.value = reader.text();
    if (record.name.size() > max_annotation_name || record.value.size() > max_annotation_value)
        reader.fail();
    return checked(reader, std::move(record));
}

void AnnotationCensusRecord::encode(std::string& out) const
{
    Writer writer(out);
    writer.u64(holder);
    encode_texts(names, writer);
}

std::optional<AnnotationCensusRecord> AnnotationCensusRecord::decode(std::string_view meta)
{
    Reader reader(meta);
    AnnotationCensusRecord record;
    record.holder = reader.u64();
    record.names = decode_texts(reader);
    return checked(reader, std::move(record));
}

void SeenRecord::encode(std::string& out) const
{
    Writer writer(out);
    writer.u64(mailbox);
    writer.text(reader);
    encode_ranges(seen, writer);
    encode_ranges(unseen, writer);
}

std::optional<SeenRecord> SeenRecord::decode(std::string_view meta)
{
    Reader reader(meta);
    SeenRecord record;
    record.mailbox = reader.u64();
    record.reader = reader.text();
    record.seen = decode_ranges(reader);
    record.unseen = decode_ranges(reader);
    if (record.reader.empty() || record.reader.size() > max_reader_name)
        reader.fail();
    return checked(reader, std::move(record));
}

}  // namespace store
