// What a URL names in its message.
#include "imapd/engine/url_content.h"

#include "imapd/engine/fetch_items.h"
#include "libutil/text.h"

#include <algorithm>

namespace imapd::engine {

using UrlWhat = mail::Section::What;

util::Result<mail::Section> parse_url_section(std::string_view text)
{
    auto item = util::concat("BODY.PEEK[", text, "]");
    syntax::Scanner scanner(item);
    auto items = TRY(parse_fetch_items(scanner, false));
    if (!scanner.at_end() || items.items.size() != 1 || items.items.front().partial)
        return util::invalid("no such section");
    return std::move(items.items.front().section);
}

util::Result<std::string_view> url_bytes(MessageContent& message, const syntax::MessageUrl& url, bool binary, std::string& text)
{
    const auto* tree = TRY(message.tree());
    auto section = TRY(parse_url_section(url.section));
    auto range = mail::find_section(*tree, section);
    if (!range)
        return util::invalid("no such section");
    auto bytes = message.whole().substr(range->offset, range->size);
    if (section.what == UrlWhat::HeaderFields || section.what == UrlWhat::HeaderFieldsNot) {
        text = mail::select_fields(bytes, section.fields, section.what == UrlWhat::HeaderFieldsNot);
        bytes = text;
    } else if (binary && section.what == UrlWhat::All && !section.part.empty()) {
        if (const auto* part = mail::find_part(*tree, section.part)) {
            text = TRY(mail::decoded_content(message.whole(), *part));
            bytes = text;
        }
    }
    if (!url.partial)
        return bytes;
    bytes.remove_prefix(std::size_t(std::min<std::uint64_t>(url.offset, bytes.size())));
    return bytes.substr(0, std::size_t(std::min<std::uint64_t>(url.length.value_or(bytes.size()), bytes.size())));
}

util::Result<std::string> url_structure(MessageContent& message, const syntax::MessageUrl& url, bool binary)
{
    const auto* tree = TRY(message.tree());
    auto section = TRY(parse_url_section(url.section));
    if (section.what != UrlWhat::All)
        return util::invalid("a header has no structure");
    if (section.part.empty())
        return mail::render_body_structure(message.whole(), *tree, true);
    const auto* part = mail::find_part(*tree, section.part);
    if (!part)
        return util::invalid("no such section");
    auto content = binary ? mail::decoded_content(message.whole(), *part) : std::string();
    if (!binary || !content.ok())
        return mail::render_part_structure(message.whole(), *tree, *part, nullptr);
    std::string_view decoded = *content;
    return mail::render_part_structure(message.whole(), *tree, *part, &decoded);
}

}  // namespace imapd::engine
