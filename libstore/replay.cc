// One record of the log into the state (see replay.h).
#include "libstore/replay.h"

namespace store {

namespace {

// What a record touches must be loaded before it is applied.
util::Result<void> load(State& state, const Snapshot* snapshot, MailboxId id)
{
    Folder* folder = state.folder(id);
    if (!folder || folder->loaded)
        return {};
    if (!snapshot)
        return util::permanent("snapshot is damaged");
    return snapshot->load(*folder);
}

// Those that say something of the mailbox alone; that one costs no reading of its entries at the next open.
bool touches_messages(const MailboxRecord& record)
{
    return record.census;
}

bool touches_messages(const RecentRecord&)
{
    return false;
}

bool touches_messages(const auto&)
{
    return true;
}

template <typename Record>
util::Result<void> load_for(State& state, const Snapshot* snapshot, const Record& record)
{
    if (!touches_messages(record))
        return {};
    if constexpr (requires { record.mailbox; })
        TRY(load(state, snapshot, record.mailbox));
    else if constexpr (requires { record.id; })
        TRY(load(state, snapshot, record.id));
    else if constexpr (requires { record.from; }) {
        TRY(load(state, snapshot, record.from));
        TRY(load(state, snapshot, record.to));
    }
    else if constexpr (requires { record.holder; }) {
        // Annotations lie in the snapshot's directory, which is loaded always.
    }
    bool needs_kept = Record::type == Type::Copying || Record::type == Type::Purge || Record::type == Type::Census;
    if (needs_kept && !state.kept_loaded) {
        if (!snapshot)
            return util::permanent("snapshot is damaged");
        TRY(snapshot->load_kept(state));
    }
    return {};
}

// Of a record that is not split into a head and a content.
Content location_of(const Frame& frame, std::uint32_t segment)
{
    return {.lsn = frame.header.lsn, .segment = segment, .offset = std::uint32_t(frame.offset),
            .head = frame.header.length, .in_file = 0};
}

template <typename Record>
util::Result<bool> replay_as(State& state, const Snapshot* snapshot, const Frame& frame)
{
    auto record = Record::decode(frame.meta());
    if (!record)
        return false;
    TRY(load_for(state, snapshot, *record));
    state.apply(frame.header.lsn, *record);
    return true;
}

}  // namespace

util::Result<bool> replay_frame(State& state, const Frame& frame, std::uint32_t segment,
                                const Snapshot* snapshot)
{
    switch (frame.header.type) {
    case Type::Arrival: {
        auto record = MessageRecord::decode(frame.meta());
        if (!record)
            return false;
        std::size_t head = record_header_size + frame.header.meta_length + record->rendered_size();
        if (frame.header.length != head + (record->in_file ? 0 : record->entry.size))
            return false;
        // What cannot be read was not delivered: a retry brings it.
        if (!record->queue_id.empty() && !record->verify(frame))
            record->queue_id = {};
        TRY(load_for(state, snapshot, *record));
        state.apply(frame.header.lsn, *record,
                    {.lsn = frame.header.lsn, .segment = segment,
                     .offset = std::uint32_t(frame.offset), .head = std::uint32_t(head),
                     .in_file = record->in_file});
        return true;
    }
    case Type::FlagSetting:
        return replay_as<FlagsRecord>(state, snapshot, frame);
    case Type::Copying:
        return replay_as<CopyRecord>(state, snapshot, frame);
    case Type::Expunging:
        return replay_as<ExpungeRecord>(state, snapshot, frame);
    case Type::MailboxState:
        return replay_as<MailboxRecord>(state, snapshot, frame);
    case Type::MailboxRemoval:
        return replay_as<MailboxRemovedRecord>(state, snapshot, frame);
    case Type::Subscribing:
        return replay_as<SubscriptionRecord>(state, snapshot, frame);
    case Type::NewKeyword:
        return replay_as<KeywordRecord>(state, snapshot, frame);
    case Type::RecentClaim:
        return replay_as<RecentRecord>(state, snapshot, frame);
    case Type::Reservation:
        return replay_as<ReserveRecord>(state, snapshot, frame);
    case Type::Closing:
        return replay_as<ClosedRecord>(state, snapshot, frame);
    case Type::Census:
        return replay_as<CensusRecord>(state, snapshot, frame);
    case Type::Purge:
        return replay_as<PurgeRecord>(state, snapshot, frame);
    case Type::Annotating: {
        auto record = AnnotationRecord::decode(frame.meta());
        if (!record)
            return false;
        state.apply(frame.header.lsn, *record, location_of(frame, segment));
        return true;
    }
    case Type::AnnotationCensus:
        return replay_as<AnnotationCensusRecord>(state, snapshot, frame);
    case Type::SeenSetting:
        return replay_as<SeenRecord>(state, snapshot, frame);
    case Type::Voided:
        return true;
    }
    return std::uint8_t(frame.header.type) < vital_type;
}

}  // namespace store
