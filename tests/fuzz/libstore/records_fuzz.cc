// Each record type decodes anything without harm, and what it decodes comes out of encode() again.
#include "libstore/records.h"
#include "libutil/check.h"

namespace {

template <typename Record>
void try_record(std::string_view meta)
{
    auto record = Record::decode(meta);
    if (!record)
        return;
    std::string bytes;
    record->encode(bytes);
    auto again = Record::decode(bytes);
    CHECK(again);
    std::string same;
    again->encode(same);
    CHECK(bytes == same);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    std::string_view bytes(reinterpret_cast<const char*>(data), size);
    try_record<store::MessageRecord>(bytes);
    try_record<store::FlagsRecord>(bytes);
    try_record<store::CopyRecord>(bytes);
    try_record<store::ExpungeRecord>(bytes);
    try_record<store::MailboxRecord>(bytes);
    try_record<store::MailboxRemovedRecord>(bytes);
    try_record<store::SubscriptionRecord>(bytes);
    try_record<store::KeywordRecord>(bytes);
    try_record<store::RecentRecord>(bytes);
    try_record<store::ReserveRecord>(bytes);
    try_record<store::CensusRecord>(bytes);
    try_record<store::PurgeRecord>(bytes);
    try_record<store::AnnotationRecord>(bytes);
    try_record<store::AnnotationCensusRecord>(bytes);
    try_record<store::SeenRecord>(bytes);
    store::decode_segment_header(bytes);
    return 0;
}
