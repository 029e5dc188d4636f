// Finds addresses with their places: tokens first, then entries between commas.
#include "libmail/address_edit.h"

#include "libmail/header.h"
#include "libutil/text.h"

#include <algorithm>

namespace mail {

namespace {

using util::Result;

struct Token {
    enum class Kind : unsigned char { Word, Quoted, Literal, Comment, Special, End };
    Kind kind = Kind::End;
    std::size_t begin = 0;
    std::size_t end = 0;
    bool complete = true;  // a quoted string, literal or comment that ends
};

bool is_special(char c) { return std::string_view("<>:;@,").find(c) != std::string_view::npos; }

class Tokens {
public:
    Tokens(std::string_view text, std::size_t limit) : text_(text), left_(limit) {}

    Token next()
    {
        while (at_ < text_.size() && util::is_space(text_[at_]))
            ++at_;
        Token token;
        token.begin = token.end = at_;
        if (at_ >= text_.size() || left_ == 0)
            return token;
        --left_;
        char c = text_[at_];
        if (c == '(') {
            token.kind = Token::Kind::Comment;
            skip_comment(token);
        } else if (c == '"' || c == '[') {
            token.kind = c == '"' ? Token::Kind::Quoted : Token::Kind::Literal;
            skip_to(c == '"' ? '"' : ']', token);
        } else if (is_special(c)) {
            token.kind = Token::Kind::Special;
            ++at_;
        } else {
            token.kind = Token::Kind::Word;
            skip_word();
        }
        token.end = at_;
        return token;
    }
    // Did the limit end it, and not the text?
    bool cut() const { return left_ == 0 && at_ < text_.size(); }

private:
    void skip_word()
    {
        while (at_ < text_.size()) {
            char c = text_[at_];
            if (util::is_space(c) || is_special(c) || c == '(' || c == '"' || c == '[')
                return;
            at_ += c == '\\' && at_ + 1 < text_.size() ? 2 : 1;
        }
    }
    void skip_to(char close, Token& token)
    {
        for (++at_; at_ < text_.size(); ++at_) {
            if (text_[at_] == '\\' && at_ + 1 < text_.size())
                ++at_;
            else if (text_[at_] == close) {
                ++at_;
                return;
            }
        }
        token.complete = false;
    }
    void skip_comment(Token& token)
    {
        std::size_t depth = 0;
        for (; at_ < text_.size(); ++at_) {
            char c = text_[at_];
            if (c == '\\' && at_ + 1 < text_.size())
                ++at_;
            else if (c == '(')
                ++depth;
            else if (c == ')' && --depth == 0) {
                ++at_;
                return;
            }
        }
        token.complete = false;
    }

    std::string_view text_;
    std::size_t left_;
    std::size_t at_ = 0;
};

class FieldEditor {
public:
    FieldEditor(std::string_view value, std::size_t limit, const AddressChange& change) :
        value_(value), tokens_(value, limit), change_(change)
    {
    }

    Result<std::vector<Edit>> run()
    {
        for (;;) {
            Token token = tokens_.next();
            if (token.kind == Token::Kind::End) {
                // An entry that the limit has cut is not looked at.
                if (!tokens_.cut())
                    TRY(end_entry());
                return std::move(edits_);
            }
            if (token.kind == Token::Kind::Special && !in_angle_) {
                char c = value_[token.begin];
                if (c == ',' || c == ';') {
                    TRY(end_entry());
                    continue;
                }
                if (c == ':') {  // behind a group's name
                    clear();
                    continue;
                }
            }
            take(token);
        }
    }

private:
    void clear()
    {
        outside_.clear();
        inside_.clear();
        in_angle_ = has_angle_ = broken_ = false;
    }

    void take(const Token& token)
    {
        broken_ = broken_ || !token.complete;
        bool special = token.kind == Token::Kind::Special;
        char c = value_[token.begin];
        if (special && c == '<') {
            broken_ = broken_ || has_angle_;
            in_angle_ = has_angle_ = true;
        } else if (special && c == '>') {
            broken_ = broken_ || !in_angle_;
            in_angle_ = false;
        } else if (in_angle_) {
            inside_.push_back(token);
        } else if (!has_angle_) {
            outside_.push_back(token);
        }
    }

    Result<void> end_entry()
    {
        bool good = !broken_ && !in_angle_;
        std::vector<Token> tokens = std::move(has_angle_ ? inside_ : outside_);
        bool angle = has_angle_;
        clear();
        return good ? edit(tokens, angle) : Result<void>();
    }

    std::string_view text_of(const Token& token) const
    {
        return value_.substr(token.begin, token.end - token.begin);
    }
    bool is(const Token& token, char special) const
    {
        return token.kind == Token::Kind::Special && value_[token.begin] == special;
    }

    // Behind the source route "@a,@b:", which stands in angle brackets only.
    std::size_t skip_route(const std::vector<Token>& tokens) const
    {
        if (tokens.empty() || !is(tokens.front(), '@'))
            return 0;
        for (std::size_t i = 1; i < tokens.size(); ++i)
            if (is(tokens[i], ':'))
                return i + 1;
        return 0;
    }

    // The address that the tokens from `first` on are, as text without blanks; empty: they are none.
    std::string spell(const std::vector<Token>& tokens, std::size_t first) const
    {
        std::string text;
        bool has_at = false;
        for (std::size_t i = first; i < tokens.size(); ++i) {
            const Token& token = tokens[i];
            std::string_view piece = text_of(token);
            if (token.kind == Token::Kind::Special) {
                if (piece != "@" || has_at || text.empty())
                    return {};
                has_at = true;
            } else if (token.kind == Token::Kind::Comment || (token.kind == Token::Kind::Literal && !has_at)) {
                return {};
            } else if (i > first && tokens[i - 1].kind != Token::Kind::Special) {
                // Two words: one local part or domain only when a dot joins them.
                if (!text.ends_with('.') && !piece.starts_with('.'))
                    return {};
            }
            text += piece;
        }
        return text;
    }

    Result<void> edit(std::vector<Token>& tokens, bool angle)
    {
        // Comments around an address do not belong to it; between its parts they make it unclear.
        auto is_comment = [](const Token& token) { return token.kind == Token::Kind::Comment; };
        while (!tokens.empty() && is_comment(tokens.back()))
            tokens.pop_back();
        tokens.erase(tokens.begin(), std::find_if_not(tokens.begin(), tokens.end(), is_comment));
        std::size_t first = angle ? skip_route(tokens) : 0;
        if (first >= tokens.size())
            return {};
        std::string text = spell(tokens, first);
        // An encoded word is a name that lacks its address, never a mailbox.
        if (text.empty() || (text.starts_with("=?") && text.ends_with("?=")))
            return {};
        auto address = parse_address(text);
        if (!address || address->is_null())
            return {};
        std::optional<Address> changed = TRY(change_(*address));
        if (changed && *changed == *address)
            changed.reset();
        if (!changed && first == 0)
            return {};
        std::size_t begin = tokens.front().begin;
        edits_.push_back({begin, tokens.back().end - begin, changed ? to_text(*changed) : std::move(text)});
        return {};
    }

    std::string_view value_;
    Tokens tokens_;
    const AddressChange& change_;
    std::vector<Token> outside_, inside_;
    bool in_angle_ = false;
    bool has_angle_ = false;
    bool broken_ = false;
    std::vector<Edit> edits_;
};

}  // namespace

std::string apply_edits(std::string_view text, const std::vector<Edit>& edits)
{
    std::string out;
    std::size_t at = 0;
    for (const Edit& edit : edits) {
        out += text.substr(at, edit.offset - at);
        out += edit.replacement;
        at = edit.offset + edit.length;
    }
    return out += text.substr(at);
}

Result<std::vector<Edit>> edit_addresses(std::string_view value, std::size_t token_limit, const AddressChange& change)
{
    return FieldEditor(value, token_limit, change).run();
}

}  // namespace mail
