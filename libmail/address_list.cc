#include "libmail/address_list.h"

#include "libmail/address.h"
#include "libmail/header.h"
#include "libutil/text.h"

#include <algorithm>

namespace mail {

namespace {

// What ends an atom.  ')' and ']' that open nothing, and '[' outside a domain, are letters to us:
// "[list] subject" style names are common.
bool ends_atom(char c)
{
    switch (c) {
    case '(': case '<': case '>': case ':': case ';': case '@': case '\\': case ',': case '"':
        return true;
    default:
        return util::is_space(c);
    }
}

// Every turn of every loop moves `at_` on, so that the whole is linear.
class ListReader {
public:
    ListReader(std::string_view text, std::size_t limit, bool blanks_separate = false) :
        text_(text), limit_(limit), blanks_separate_(blanks_separate)
    {
    }

    std::vector<ListEntry> run()
    {
        while (entries_.size() < limit_) {
            comment_.clear();
            skip();
            if (at_ >= text_.size())
                break;
            if (text_[at_] == ',')
                ++at_;
            else if (text_[at_] == ';')
                end_group();
            else
                read_entry();
        }
        end_group();
        return std::move(entries_);
    }

private:
    void skip() { skip_cfws(text_, at_, &comment_); }
    char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

    void end_group()
    {
        if (at_ < text_.size())
            ++at_;
        if (in_group_)
            entries_.emplace_back().kind = ListEntry::Kind::GroupEnd;
        in_group_ = false;
    }

    // Atoms and quoted strings up to what ends a phrase or a local part, one space for every gap.
    bool read_words(std::string& words)
    {
        bool any = false;
        quoted_ = false;
        word_starts_.clear();
        while (true) {
            std::size_t before = at_;
            skip();
            char c = peek();
            bool word = at_ < text_.size() && (c == '"' || c == '\\' || !ends_atom(c));
            if (!word)
                return any;
            if (any && at_ > before) {
                words += ' ';
                word_starts_.push_back(words.size());
            }
            any = true;
            if (c == '"') {
                quoted_ = true;
                read_quoted_string(text_, at_, words);
            } else if (c == '\\') {
                if (++at_ < text_.size())
                    words += text_[at_++];
            } else {
                std::size_t start = at_;
                while (at_ < text_.size() && !ends_atom(text_[at_]))
                    ++at_;
                words.append(text_.substr(start, at_ - start));
            }
        }
    }

    // The local part that read_words() found: "john . doe" is obsolete for john.doe (RFC 5322 §4.4).
    std::string as_local_part(std::string words) const
    {
        if (quoted_ || words.find(' ') == std::string::npos)
            return words;
        std::string tight;
        for (std::size_t i = 0; i < words.size(); ++i) {
            bool dot_beside = words[i] == ' ' && ((!tight.empty() && tight.back() == '.') ||
                                                  (i + 1 < words.size() && words[i + 1] == '.'));
            if (!dot_beside)
                tight += words[i];
        }
        return tight;
    }

    void read_domain(std::string& domain)
    {
        std::size_t begin = domain.size();
        while (true) {
            skip();
            char c = peek();
            if (c == '[' && domain.size() == begin) {
                while (at_ < text_.size() && text_[at_] != ']') {
                    if (!util::is_space(text_[at_]))
                        domain += text_[at_];
                    ++at_;
                }
                if (at_ < text_.size())
                    domain += text_[at_++];
                return;
            }
            // White space joins nothing but dots: "a . b", not "a b".
            bool goes_on = domain.size() == begin || domain.back() == '.' || c == '.';
            if (at_ >= text_.size() || ends_atom(c) || !goes_on)
                return;
            while (at_ < text_.size() && !ends_atom(text_[at_]))
                domain += text_[at_++];
        }
    }

    // Over what stands between an address and the end of its entry.
    void skip_rest()
    {
        while (true) {
            skip();
            char c = peek();
            if (at_ >= text_.size() || c == ',' || c == ';')
                return;
            if (c == '"') {
                std::string ignored;
                read_quoted_string(text_, at_, ignored);
            } else {
                ++at_;
            }
        }
    }

    // "<" [route ":"] local-part "@" domain ">" of which everything may be missing.
    void read_angle(ListEntry& entry)
    {
        ++at_;
        skip();
        while (peek() == '@') {
            entry.route += '@';
            ++at_;
            read_domain(entry.route);
            skip();
            while (peek() == ',') {
                if (entry.route.back() != ',')
                    entry.route += ',';
                ++at_;
                skip();
            }
        }
        if (peek() == ':')
            ++at_;
        while (!entry.route.empty() && entry.route.back() == ',')
            entry.route.pop_back();
        std::string words;
        read_words(words);
        entry.local_part = as_local_part(std::move(words));
        if (peek() == '@') {
            ++at_;
            read_domain(entry.domain);
        }
        while (at_ < text_.size() && text_[at_] != '>' && text_[at_] != ',')
            ++at_;
        if (peek() == '>')
            ++at_;
    }

    // Of several words in a row, the last begins what follows; those before it are local names.
    void end_words(std::string& words)
    {
        std::size_t start = 0;
        for (std::size_t next : word_starts_) {
            entries_.emplace_back().local_part = words.substr(start, next - 1 - start);
            start = next;
        }
        words.erase(0, start);
    }

    void read_entry()
    {
        std::size_t start = at_;
        ListEntry entry;
        std::string words;
        bool any = read_words(words);
        char c = peek();
        if (blanks_separate_ && c != '<' && c != ':')
            end_words(words);
        if (c == ':' && at_ < text_.size()) {
            ++at_;
            if (in_group_)
                return;
            in_group_ = true;
            entry.kind = ListEntry::Kind::GroupStart;
            entry.local_part = std::move(words);
            entries_.push_back(std::move(entry));
            return;
        }
        if (c == '@') {
            entry.local_part = as_local_part(std::move(words));
            ++at_;
            read_domain(entry.domain);
            skip();
            if (peek() == '<') {  // "a@b <a@b>": an address that stands for a name
                any = true;
                words = std::string(util::trim(text_.substr(start, at_ - start)));
                entry = {};
            }
        }
        if (peek() == '<') {
            entry.has_name = any;
            entry.name = std::move(words);
            read_angle(entry);
        } else if (c != '@') {
            if (!any) {  // a byte that begins nothing
                ++at_;
                return;
            }
            // A word alone is a local name; several, or a quoted one, are a name without its address.
            entry.has_name = !blanks_separate_ && (quoted_ || words.find(' ') != std::string::npos);
            (entry.has_name ? entry.name : entry.local_part) = std::move(words);
        }
        if (!blanks_separate_)
            skip_rest();
        if (!entry.has_name && !util::trim(comment_).empty()) {
            entry.has_name = true;
            entry.name = std::string(util::trim(comment_));
        }
        if (any || !entry.local_part.empty() || !entry.domain.empty())
            entries_.push_back(std::move(entry));
    }

    std::string_view text_;
    std::size_t limit_;
    std::size_t at_ = 0;
    bool in_group_ = false;
    bool quoted_ = false;
    bool blanks_separate_;
    std::vector<std::size_t> word_starts_;  // of those that read_words() put behind a gap
    std::string comment_;
    std::vector<ListEntry> entries_;
};

// Is it a phrase of atoms (RFC 5322 §3.2.5), which needs no quotes?
bool is_plain_phrase(std::string_view name)
{
    for (char c : name)
        if (!util::is_alnum(c) && static_cast<unsigned char>(c) < 128 &&
            std::string_view("!#$%&'*+-/=?^_`{|}~ ").find(c) == std::string_view::npos)
            return false;
    return util::trim(name).size() == name.size();
}

}  // namespace

std::vector<ListEntry> parse_address_list(std::string_view value, std::size_t limit)
{
    return ListReader(value, limit).run();
}

std::vector<ListEntry> parse_address_words(std::string_view value, std::size_t limit)
{
    return ListReader(value, limit, true).run();
}

std::string to_header(const ListEntry& entry)
{
    std::string address = to_text({entry.local_part, entry.domain});
    if (!entry.has_name || entry.name.empty())
        return address;
    if (is_plain_phrase(entry.name))
        return util::concat(entry.name, " <", address, '>');
    std::string quoted(1, '"');
    for (char c : entry.name) {
        if (c == '"' || c == '\\')
            quoted += '\\';
        if (static_cast<unsigned char>(c) >= ' ' && c != 0x7f)
            quoted += c;
    }
    return util::concat(quoted, "\" <", address, '>');
}

}  // namespace mail
