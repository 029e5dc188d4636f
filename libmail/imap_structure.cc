// BODYSTRUCTURE and BODY: RFC 9051 §7.5.2.
#include "libmail/imap_render.h"

#include "libmail/header.h"
#include "libutil/text.h"

namespace mail {

namespace {

class StructureWriter {
public:
    StructureWriter(std::string_view message, const MimeTreeView& tree, bool extended)
        : message_(message), tree_(tree), extended_(extended)
    {
        out_.reserve(256);
    }

    // `decoded`: what this part holds, if that is told of instead of what the message has.
    std::string run(const Part& part, const std::string_view* decoded = nullptr)
    {
        decoded_ = part.kind == Part::Kind::Leaf ? decoded : nullptr;
        append(part);
        return std::move(out_);
    }

private:
    void append(const Part& part)
    {
        out_ += '(';
        if (part.kind == Part::Kind::Multipart)
            append_multipart(part);
        else
            append_single(part);
        out_ += ')';
    }

    void append_multipart(const Part& part)
    {
        // The grammar wants one part at least (RFC 9051 §9 body-type-mpart).
        if (part.first_child == Part::none)
            util::append(out_, "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 0 0",
                         extended_ ? " NIL NIL NIL NIL)" : ")");
        for (std::uint32_t i = part.first_child; i != Part::none; i = tree_.parts[i].next_sibling)
            append(tree_.parts[i]);
        out_ += ' ';
        append_imap_string(out_, part.type.subtype);
        if (!extended_)
            return;
        out_ += ' ';
        append_parameters(part.type.parameters, false);
        append_common_extension(part);
    }

    void append_single(const Part& part)
    {
        append_imap_string(out_, part.type.type);
        out_ += ' ';
        append_imap_string(out_, part.type.subtype);
        out_ += ' ';
        // RFC 2045 §5.2: text without charset is in US-ASCII.
        append_parameters(part.type.parameters, part.type.is_type("text") && !part.type.find("charset"));
        out_ += ' ';
        append_imap_unfolded(out_, part.id);
        out_ += ' ';
        append_imap_unfolded(out_, part.description);
        out_ += ' ';
        std::string_view encoding = first_token(part.transfer_encoding);
        append_imap_string(out_, decoded_ ? "binary" : encoding.empty() ? "7bit" : encoding);
        util::append(out_, ' ', decoded_ ? decoded_->size() : part.end - part.body);
        if (part.kind == Part::Kind::Message) {
            const Part& inner = tree_.parts[part.first_child];
            util::append(out_, ' ', render_envelope(header_of(inner)), ' ');
            append(inner);
            util::append(out_, ' ', part.body_lines);
        } else if (part.type.is_type("text")) {
            util::append(out_, ' ', decoded_ ? count_lines(*decoded_) : part.body_lines);
        }
        if (!extended_)
            return;
        out_ += ' ';
        append_imap_unfolded(out_, part.md5);
        append_common_extension(part);
    }

    std::string_view header_of(const Part& part) const
    {
        return message_.substr(part.header, part.body - part.header);
    }

    // Disposition, language and location, which all parts may have.
    void append_common_extension(const Part& part)
    {
        out_ += ' ';
        auto disposition = part.disposition.data() ? parse_disposition(part.disposition) : std::nullopt;
        if (disposition) {
            out_ += '(';
            append_imap_string(out_, disposition->type);
            out_ += ' ';
            append_parameters(disposition->parameters, false);
            out_ += ')';
        } else {
            out_ += "NIL";
        }
        out_ += ' ';
        append_languages(part.language);
        out_ += ' ';
        append_imap_unfolded(out_, part.location);
    }

    // RFC 3282: tags with commas between them.
    void append_languages(std::string_view value)
    {
        std::vector<std::string> tags;
        for (std::size_t at = 0; at < value.size() && tags.size() < max_mime_parameters;) {
            skip_cfws(value, at);
            std::size_t start = at;
            while (at < value.size() && (util::is_alnum(value[at]) || value[at] == '-'))
                ++at;
            if (at > start)
                tags.emplace_back(value.substr(start, at - start));
            else
                ++at;
        }
        if (tags.empty()) {
            out_ += "NIL";
            return;
        }
        out_ += '(';
        for (std::size_t i = 0; i < tags.size(); ++i) {
            out_ += i > 0 ? " " : "";
            append_imap_string(out_, tags[i]);
        }
        out_ += ')';
    }

    // Continued parameters are joined (RFC 9051 §7.5.2); an encoded one goes as "name*" with its
    // charset and percent signs, so that it can be told from a plain one.
    void append_parameters(const std::vector<MimeParameter>& parameters, bool default_charset)
    {
        if (parameters.empty() && !default_charset) {
            out_ += "NIL";
            return;
        }
        out_ += '(';
        bool first = true;
        for (const MimeParameter& parameter : parameters) {
            out_ += first ? "" : " ";
            first = false;
            append_imap_string(out_, parameter.encoded ? parameter.name + '*' : parameter.name);
            out_ += ' ';
            append_imap_string(out_, parameter.encoded ? parameter.extended_value() : parameter.value);
        }
        if (default_charset)
            util::append(out_, first ? "" : " ", "\"charset\" \"us-ascii\"");
        out_ += ')';
    }

    std::string_view message_;
    const MimeTreeView& tree_;
    bool extended_;
    const std::string_view* decoded_ = nullptr;
    std::string out_;
};

}  // namespace

std::string render_body_structure(std::string_view message, const MimeTreeView& tree, bool extended)
{
    return StructureWriter(message, tree, extended).run(tree.root());
}

std::string render_part_structure(std::string_view message, const MimeTreeView& tree, const Part& part,
                                  const std::string_view* decoded)
{
    return StructureWriter(message, tree, true).run(part, decoded);
}

}  // namespace mail
