// Answers of name servers: whatever comes, records are what they can be, limits hold, and the outcome fits.
//
// The first byte chooses the type that was asked for; the rest is the message after its header and question.
#include "libnet/dns_name.h"
#include "libnet/dns_outcome.h"
#include "libutil/check.h"

#include <algorithm>

namespace {

using namespace net::dns;

constexpr Type types[] = {Type::A,  Type::Ns,  Type::Cname, Type::Soa, Type::Ptr,
                          Type::Mx, Type::Txt, Type::Aaaa,  Type::Srv, Type::Tlsa};

void check_record(const Record& record, Type asked)
{
    CHECK(record.type == asked || record.type == Type::Cname);
    CHECK(record.ttl <= INT32_MAX);
    CHECK(record.owner.size() <= max_name);
    if (record.broken) {
        CHECK(record.text.empty());
        return;
    }
    switch (record.type) {
    case Type::A:
    case Type::Aaaa:
        CHECK(conf::IpAddress::parse(record.text).ok());
        break;
    case Type::Ns:
    case Type::Ptr:
        CHECK(is_host_name(record.text));
        break;
    case Type::Mx:
    case Type::Srv:
        CHECK(record.text.empty() || is_host_name(record.text));
        break;
    case Type::Cname:
        CHECK(!record.text.empty() && record.text.size() <= max_name);
        break;
    case Type::Tlsa:
        CHECK(!record.text.empty());
        break;
    case Type::Soa:
    case Type::Txt:
        break;
    }
}

void check_outcome(const Question& question, const Outcome& outcome)
{
    CHECK(outcome.records.size() <= max_records);
    CHECK((outcome.status == Status::Found) == !outcome.records.empty());
    CHECK((outcome.status == Status::Found) == explain(question, outcome).empty());
    CHECK(outcome.aliases <= max_aliases + 1);
    CHECK(std::ranges::none_of(outcome.records, [](const Record& record) { return record.broken; }));
    if (outcome.status == Status::Malformed)
        CHECK(outcome.ttl == 0 && !outcome.why.empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size)
{
    if (size == 0)
        return 0;
    Question question{"a.example", types[data[0] % std::size(types)]};
    std::string_view wire(reinterpret_cast<const char*>(data) + 1, size - 1);
    (void)is_answer(wire, question, 0);
    if (auto frames = frame(wire); frames.ok()) {
        CHECK(frames->size() <= max_message_records);
        for (const RecordFrame& each : *frames)
            CHECK(each.begin < each.data && each.data <= each.end && each.end <= wire.size());
    }
    auto message = decode(wire, question);
    if (!message.ok())
        return 0;
    for (const Record& record : message->answer)
        check_record(record, question.type);
    check_outcome(question, outcome_of(question, *message));
    return 0;
}
