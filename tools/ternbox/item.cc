// Items over a socket pair (see item.h).
#include "tools/ternbox/item.h"

#include "libstore/codec.h"
#include "libutil/sys.h"
#include "libutil/text.h"

namespace ternbox {

util::Result<void> send_item(int fd, const Item& item)
{
    std::string bytes;
    store::Writer writer(bytes);
    writer.u32(0);
    writer.u8(std::uint8_t(item.kind));
    writer.text(item.mailbox);
    writer.u32(item.uid_validity);
    writer.u32(item.uid_next);
    writer.u8(item.subscribed);
    writer.u32(item.uid);
    writer.u32(item.flags);
    writer.u32(std::uint32_t(item.keywords.size()));
    for (const auto& keyword : item.keywords)
        writer.text(keyword);
    writer.i64(item.date.seconds);
    writer.i16(item.date.zone_minutes);
    writer.text(item.source);
    writer.raw(item.content);
    auto length = std::uint32_t(bytes.size() - 4);
    bytes.replace(0, 4, reinterpret_cast<const char*>(&length), 4);
    return util::sys::write_all(fd, bytes);
}

namespace {

// False at the end of the stream before the first byte.
util::Result<bool> read_exactly(int fd, std::span<char> out)
{
    std::size_t got = 0;
    while (got < out.size()) {
        std::size_t more = TRY(util::sys::read(fd, out.subspan(got)));
        if (more == 0 && got == 0)
            return false;
        if (more == 0)
            return util::temporary("the other process ended early");
        got += more;
    }
    return true;
}

}  // namespace

util::Result<std::optional<Item>> receive_item(int fd)
{
    std::uint32_t length = 0;
    if (!TRY(read_exactly(fd, std::span(reinterpret_cast<char*>(&length), sizeof length))))
        return std::optional<Item>();
    if (length > max_item_size)
        return util::permanent("message is too large");
    std::string bytes(length, '\0');
    if (length > 0 && !TRY(read_exactly(fd, bytes)))
        return util::temporary("the other process ended early");
    store::Reader reader(bytes);
    Item item;
    item.kind = Item::Kind(reader.u8());
    item.mailbox = reader.text();
    item.uid_validity = reader.u32();
    item.uid_next = reader.u32();
    item.subscribed = reader.u8() != 0;
    item.uid = reader.u32();
    item.flags = reader.u32();
    item.keywords.resize(reader.count(4));
    for (auto& keyword : item.keywords)
        keyword = reader.text();
    item.date.seconds = reader.i64();
    item.date.zone_minutes = reader.i16();
    item.source = reader.text();
    item.content = reader.left();
    if (!reader.ok())
        return util::permanent("message from the other process is malformed");
    return std::optional<Item>(std::move(item));
}

std::string with_crlf(std::string_view text)
{
    std::string out;
    out.reserve(text.size() + text.size() / 32);
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\n' && (i == 0 || text[i - 1] != '\r'))
            out += '\r';
        out += text[i];
    }
    return out;
}

std::string with_lf(std::string_view text)
{
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i)
        if (text[i] != '\r' || i + 1 == text.size() || text[i + 1] != '\n')
            out += text[i];
    return out;
}

}  // namespace ternbox
