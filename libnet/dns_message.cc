// Messages of the DNS and back.
#include "libnet/dns_message.h"

#include "libnet/dns_name.h"
#include "libutil/handle.h"
#include "libutil/text.h"

#include <ldns/ldns.h>

#include <cstdlib>

namespace net::dns {

namespace {

constexpr std::size_t header_size = 12;
constexpr std::uint16_t class_in = 1;
constexpr std::size_t soa_fields = 7;
constexpr std::size_t max_strings_size = 65'535;

using Packet = util::Handle<ldns_pkt, ldns_pkt_free>;
using Name = util::Handle<ldns_rdf, ldns_rdf_deep_free>;
using RawRecord = util::Handle<ldns_rr, ldns_rr_free>;
using Bytes = util::Handle<std::uint8_t, std::free>;

std::uint16_t number_at(std::string_view wire, std::size_t at)
{
    return std::uint16_t(std::uint8_t(wire[at]) << 8 | std::uint8_t(wire[at + 1]));
}

// Where a name ends that begins at `at`; nothing if it runs over the message's end.  Pointers are not followed.
std::optional<std::size_t> skip_name(std::string_view wire, std::size_t at)
{
    while (at < wire.size()) {
        auto length = std::uint8_t(wire[at]);
        if (length >= 0xc0)
            return at + 2 <= wire.size() ? std::optional(at + 2) : std::nullopt;
        if (length > max_label)
            return std::nullopt;
        at += 1 + std::size_t(length);
        if (length == 0)
            return at;
    }
    return std::nullopt;
}

// A question as it stands in a message.
std::string question_section(const Question& question)
{
    std::string section;
    if (!question.name.empty()) {
        for (std::string_view label : util::split(question.name, '.'))
            util::append(section, char(label.size()), label);
    }
    auto type = std::uint16_t(question.type);
    section += {'\0', char(type >> 8), char(type & 255), '\0', char(class_in)};
    return section;
}

std::string_view data_of(const ldns_rdf* field)
{
    return {reinterpret_cast<const char*>(ldns_rdf_data(field)), ldns_rdf_size(field)};
}

// The fields of a record; nothing where there are fewer.
class Fields {
public:
    explicit Fields(const ldns_rr* record) : record_(record) {}
    std::optional<std::string_view> next()
    {
        const ldns_rdf* field = index_ < ldns_rr_rd_count(record_) ? ldns_rr_rdf(record_, index_++) : nullptr;
        return field != nullptr ? std::optional(data_of(field)) : std::nullopt;
    }
    bool number(std::uint16_t& out)
    {
        auto bytes = next();
        if (!bytes || bytes->empty() || bytes->size() > 2)
            return false;
        out = bytes->size() == 1 ? std::uint8_t((*bytes)[0]) : number_at(*bytes, 0);
        return true;
    }
    bool name(std::string& out)
    {
        auto bytes = next();
        auto text = bytes ? name_from_wire(*bytes) : std::nullopt;
        if (!text)
            return false;
        out = std::move(*text);
        return true;
    }
    bool host(std::string& out, bool root_allowed)
    {
        return name(out) && (is_host_name(out) || (root_allowed && out.empty()));
    }

private:
    const ldns_rr* record_;
    std::size_t index_ = 0;
};

bool read_address(Fields& fields, std::size_t size, std::string& out)
{
    auto bytes = fields.next();
    if (!bytes || bytes->size() != size)
        return false;
    conf::IpAddress address;
    address.length = int(size);
    for (std::size_t i = 0; i < size; ++i)
        address.bytes[i] = std::uint8_t((*bytes)[i]);
    out = address.to_text();
    return true;
}

bool read_strings(Fields& fields, std::string& out)
{
    bool any = false;
    while (auto bytes = fields.next()) {
        if (bytes->empty() || out.size() + bytes->size() > max_strings_size)
            return false;
        out += bytes->substr(1);
        any = true;
    }
    return any;
}

bool read_tlsa(Fields& fields, Record& record)
{
    for (std::uint16_t& number : record.numbers) {
        if (!fields.number(number))
            return false;
    }
    auto bytes = fields.next();
    if (!bytes || bytes->empty())
        return false;
    record.text = *bytes;
    return true;
}

bool read_data(const ldns_rr* raw, Record& record)
{
    Fields fields(raw);
    switch (record.type) {
    case Type::A:
        return read_address(fields, 4, record.text);
    case Type::Aaaa:
        return read_address(fields, 16, record.text);
    case Type::Ns:
    case Type::Ptr:
        return fields.host(record.text, false);
    case Type::Cname:
        return fields.name(record.text) && !record.text.empty();
    case Type::Soa:
        return ldns_rr_rd_count(raw) == soa_fields && fields.name(record.text);
    case Type::Mx:
        return fields.number(record.numbers[0]) && fields.host(record.text, true);
    case Type::Srv:
        return fields.number(record.numbers[0]) && fields.number(record.numbers[1]) &&
               fields.number(record.numbers[2]) && fields.host(record.text, true);
    case Type::Txt:
        return read_strings(fields, record.text);
    case Type::Tlsa:
        return read_tlsa(fields, record);
    }
    return false;
}

RawRecord raw_record(std::string_view wire, const RecordFrame& frame)
{
    ldns_rr* raw = nullptr;
    std::size_t at = frame.begin;
    ldns_status status = ldns_wire2rr(&raw, reinterpret_cast<const std::uint8_t*>(wire.data()), wire.size(), &at,
                                      LDNS_SECTION_ANSWER);
    if (status != LDNS_STATUS_OK)
        return nullptr;
    RawRecord record(raw);
    return at == frame.end ? std::move(record) : nullptr;  // more or less data than the type has
}

// The owner alone, for records whose data is broken.
std::optional<std::string> owner_of(std::string_view wire, const RecordFrame& frame)
{
    ldns_rdf* owner = nullptr;
    std::size_t at = frame.begin;
    if (ldns_wire2dname(&owner, reinterpret_cast<const std::uint8_t*>(wire.data()), wire.size(), &at) !=
        LDNS_STATUS_OK)
        return std::nullopt;
    return name_from_wire(data_of(Name(owner).get()));
}

std::optional<Record> read_record(std::string_view wire, const RecordFrame& frame)
{
    auto owner = owner_of(wire, frame);
    if (!owner)
        return std::nullopt;
    Record record;
    record.owner = std::move(*owner);
    record.type = Type(frame.type);
    record.ttl = frame.ttl;
    auto raw = raw_record(wire, frame);
    if (!raw || !read_data(raw.get(), record)) {
        record.broken = true;
        record.numbers = {};
        record.text.clear();
    }
    return record;
}

std::optional<std::uint32_t> negative_ttl(std::string_view wire, const RecordFrame& frame)
{
    auto raw = raw_record(wire, frame);
    bool whole = raw && ldns_rr_rd_count(raw.get()) == soa_fields;
    const ldns_rdf* field = whole ? ldns_rr_rdf(raw.get(), soa_fields - 1) : nullptr;  // the minimum is last
    if (field == nullptr || ldns_rdf_size(field) != 4)
        return std::nullopt;
    return std::min(frame.ttl, ldns_rdf2native_int32(field));
}

}  // namespace

std::string_view name_of_code(unsigned code)
{
    switch (code) {
    case 0:
        return "NOERROR";
    case 1:
        return "FORMERR";
    case 2:
        return "SERVFAIL";
    case 3:
        return "NXDOMAIN";
    case 4:
        return "NOTIMP";
    case 5:
        return "REFUSED";
    case 16:
        return "BADVERS";
    default:
        return "error";
    }
}

std::string encode_query(const Question& question, std::uint16_t id, QueryOptions options)
{
    Name name(ldns_dname_new_frm_str(question.name.empty() ? "." : question.name.c_str()));
    CHECK(name);
    std::uint16_t flags = LDNS_RD | LDNS_AD;
    if (options.dnssec)
        flags |= LDNS_CD;
    Packet packet(ldns_pkt_query_new(name.get(), ldns_rr_type(question.type), LDNS_RR_CLASS_IN, flags));
    CHECK(packet);
    (void)name.release();  // the packet's now
    ldns_pkt_set_id(packet.get(), id);
    if (options.edns) {
        ldns_pkt_set_edns_udp_size(packet.get(), edns_size);
        ldns_pkt_set_edns_do(packet.get(), options.dnssec);
    }
    std::uint8_t* bytes = nullptr;
    std::size_t size = 0;
    CHECK(ldns_pkt2wire(&bytes, packet.get(), &size) == LDNS_STATUS_OK);
    Bytes owner(bytes);
    return {reinterpret_cast<const char*>(bytes), size};
}

bool is_answer(std::string_view wire, const Question& question, std::uint16_t id)
{
    if (wire.size() < header_size || number_at(wire, 0) != id)
        return false;
    auto flags = std::uint8_t(wire[2]);
    bool response = (flags & 0x80) != 0;
    bool standard = (flags & 0x78) == 0;
    if (!response || !standard)
        return false;
    unsigned code = std::uint8_t(wire[3]) & 15;
    std::uint16_t questions = number_at(wire, 4);
    if (questions == 0)
        return code != LDNS_RCODE_NOERROR && code != LDNS_RCODE_NXDOMAIN;
    std::string expected = question_section(question);
    return questions == 1 && util::equal_nocase(wire.substr(header_size, expected.size()), expected);
}

bool is_truncated(std::string_view wire)
{
    return (std::uint8_t(wire[2]) & 2) != 0;
}

util::Result<std::vector<RecordFrame>> frame(std::string_view wire)
{
    if (wire.size() < header_size)
        return util::invalid("message is cut short");
    std::size_t at = header_size;
    for (unsigned i = 0; i < number_at(wire, 4); ++i) {
        auto end = skip_name(wire, at);
        if (!end || *end + 4 > wire.size())
            return util::invalid("message is cut short");
        at = *end + 4;
    }
    const std::size_t answers = number_at(wire, 6);
    const std::size_t authorities = answers + number_at(wire, 8);
    const std::size_t all = authorities + number_at(wire, 10);
    if (all > max_message_records)
        return util::invalid("message with too many records");
    std::vector<RecordFrame> frames;
    for (std::size_t i = 0; i < all; ++i) {
        using enum RecordFrame::Section;
        auto end = skip_name(wire, at);
        if (!end || *end + 10 > wire.size())
            return util::invalid("message is cut short");
        RecordFrame record;
        record.begin = at;
        record.type = number_at(wire, *end);
        record.class_ = number_at(wire, *end + 2);
        record.ttl = std::uint32_t(number_at(wire, *end + 4)) << 16 | number_at(wire, *end + 6);
        if (record.ttl > INT32_MAX && record.type != type_number::opt)
            record.ttl = 0;  // RFC 2181 §8
        record.data = *end + 10;
        record.end = record.data + number_at(wire, *end + 8);
        record.section = i < answers ? Answer : i < authorities ? Authority : Additional;
        if (record.end > wire.size())
            return util::invalid("message is cut short");
        frames.push_back(record);
        at = record.end;
    }
    return frames;
}

util::Result<Message> decode(std::string_view wire, const Question& question)
{
    auto frames = TRY(frame(wire));
    Message message;
    message.code = std::uint8_t(wire[3]) & 15;
    message.authentic = (std::uint8_t(wire[3]) & 0x20) != 0;
    for (const RecordFrame& frame : frames) {
        using enum RecordFrame::Section;
        if (frame.section == Additional && frame.type == type_number::opt)
            message.code |= (frame.ttl >> 24) << 4;
        if (frame.class_ != class_in)
            continue;
        if (frame.section == Answer) {
            bool wanted = frame.type == std::uint16_t(question.type) || frame.type == std::uint16_t(Type::Cname);
            auto record = wanted ? read_record(wire, frame) : std::nullopt;
            if (record)
                message.answer.push_back(std::move(*record));
            else if (frame.type != type_number::rrsig)
                message.other_records = true;
        } else if (frame.section == Authority && frame.type == std::uint16_t(Type::Soa) && !message.negative_ttl) {
            message.negative_ttl = negative_ttl(wire, frame);
        }
    }
    bool authoritative = (std::uint8_t(wire[2]) & 4) != 0;
    bool recursive = (std::uint8_t(wire[3]) & 0x80) != 0;
    message.lame = message.code == 0 && !authoritative && !recursive && number_at(wire, 6) == 0 && !message.negative_ttl;
    return message;
}

}  // namespace net::dns
