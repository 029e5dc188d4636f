// Messages between programs: splitting records into fields.
#include "libipc/wire.h"

#include "libutil/sys.h"

#include <cerrno>

namespace ipc {

void SentDescriptors::drop()
{
    for (auto& descriptor : *this)
        util::sys::close_at_once(descriptor);
    clear();
}

std::string_view Packet::name() const
{
    std::string_view all = bytes;
    std::size_t end = all.find('\0');
    return end == std::string_view::npos ? std::string_view() : all.substr(0, end);
}

util::Error cut_error()
{
    return {util::Kind::Temporary, util::concat("no descriptor is free: ", util::sys::explain_shortage(EMFILE)), EMFILE};
}

namespace detail {

void put_field(std::string& out, std::string_view name, std::string_view value)
{
    out += name;
    out += '\0';
    util::append(out, value.size(), ':', value);
}

void put_number(std::string& out, std::string_view name, std::int64_t value)
{
    put_field(out, name, util::concat(value));
}

void put_unsigned(std::string& out, std::string_view name, std::uint64_t value)
{
    put_field(out, name, util::concat(value));
}

util::Result<std::vector<Field>> split_fields(std::string_view bytes)
{
    std::vector<Field> fields;
    while (!bytes.empty()) {
        if (fields.size() == max_packet_fields)
            return util::invalid("too many fields");
        std::size_t name_end = bytes.find('\0');
        if (name_end == std::string_view::npos || name_end == 0)
            return util::invalid("a field without a name");
        std::string_view name = bytes.substr(0, name_end);
        bytes.remove_prefix(name_end + 1);
        std::size_t colon = bytes.substr(0, 8).find(':');
        if (colon == std::string_view::npos)
            return util::invalid("a field without a length");
        auto length = util::parse_unsigned(bytes.substr(0, colon), max_packet_size);
        bytes.remove_prefix(colon + 1);
        if (!length.ok() || *length > bytes.size())
            return util::invalid("a field with a wrong length");
        fields.push_back({name, bytes.substr(0, *length)});
        bytes.remove_prefix(*length);
    }
    return fields;
}

util::Result<std::vector<Field>> split_message(std::string_view bytes, std::string_view name)
{
    if (bytes.size() <= name.size() || bytes.substr(0, name.size()) != name || bytes[name.size()] != '\0') {
        auto other = bytes.substr(0, std::min<std::size_t>(bytes.find('\0'), 40));
        return util::invalid(util::concat("expected message ", name, ", got ", util::printable(other)));
    }
    return split_fields(bytes.substr(name.size() + 1));
}

Field* Decoder::next(std::string_view name)
{
    // Both sides list fields in one order, so the search nearly always ends at once.
    for (std::size_t i = 0; i < fields_.size(); ++i) {
        Field& field = fields_[(cursor_ + i) % fields_.size()];
        if (!field.used && field.name == name) {
            field.used = true;
            cursor_ = (cursor_ + i + 1) % fields_.size();
            return &field;
        }
        // Within a run of repeated fields the end is found at the first other name.
        if (i == 0 && !field.used && cursor_ > 0 && fields_[cursor_ - 1].name == name)
            return nullptr;
    }
    return nullptr;
}

void Decoder::fail(std::string_view name, std::string_view what)
{
    if (!error_)
        error_ = util::invalid(util::concat("field ", util::printable(name, 40), ": ", what));
}

util::Result<void> Decoder::finish() &&
{
    if (error_)
        return std::move(*error_);
    return {};
}

}  // namespace detail
}  // namespace ipc
