// Reads the arguments of one command, as cut by the Framer, by the grammar of RFC 3501 §9.
//
// Every method takes what it names from the front, or fails with Invalid and a text that fits after
// "BAD ".  Views point into the command or into the scanner and hold while both live.
#pragma once

#include "imapd/syntax/mailbox_name.h"
#include "imapd/syntax/sequence_set.h"
#include "libutil/result.h"

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

namespace imapd::syntax {

class Scanner {
public:
    // `form`: of mailbox names.
    explicit Scanner(std::string_view command, Form form = Form::Ascii) : rest_(command), form_(form) {}

    bool at_end() const { return rest_.empty(); }
    std::string_view rest() const { return rest_; }
    char peek() const { return rest_.empty() ? '\0' : rest_.front(); }
    bool skip(char c);                      // takes it if it is there
    bool skip_word(std::string_view word);  // without regard to case; takes it if it is there
    bool skip_atom(std::string_view name);  // the same, but a whole atom
    util::Result<void> expect(char c);
    util::Result<void> space() { return expect(' '); }
    util::Result<void> end();               // nothing more may stand here

    util::Result<std::string_view> tag();
    util::Result<std::string_view> atom();
    util::Result<std::string_view> astring();
    util::Result<std::string_view> string();       // quoted or literal
    util::Result<std::string_view> nstring(bool& nil);
    // An astring that is a mailbox name, decoded to UTF-8; INBOX and its children in capitals.
    util::Result<std::string> mailbox();
    // The pattern of LIST: wildcards may stand unquoted; decoded to UTF-8.
    util::Result<std::string> list_mailbox();
    util::Result<std::uint64_t> number(std::uint64_t max = UINT32_MAX);
    // From 1 (nz-number, which a 63-bit one may be: mod-sequence-value).
    util::Result<std::uint64_t> nz_number(std::uint64_t max = UINT32_MAX);
    util::Result<SequenceSet> sequence_set();
    // A literal: where it stands and whether it was ~{..}.
    struct Literal {
        std::string_view bytes;
        bool binary = false;
    };
    util::Result<Literal> literal();

private:
    util::Result<std::string_view> quoted();
    template <typename Predicate>
    std::string_view take_while(Predicate accept);

    std::string_view rest_;
    Form form_;
    std::deque<std::string> unescaped_;  // quoted strings that had escapes
};

bool is_atom_char(char c);
bool is_astring_char(char c);
bool is_tag_char(char c);

}  // namespace imapd::syntax
