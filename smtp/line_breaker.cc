#include "smtp/line_breaker.h"

#include <algorithm>

namespace smtp {

namespace {

// Room for the rest of a UTF-8 sequence: one is not cut in two.
constexpr std::size_t longest_rest = 3;

bool begins_sequence(char c) { return static_cast<unsigned char>(c) >= 0xC0; }

}  // namespace

void LineBreaker::feed(std::string_view input, std::string& out)
{
    if (limit_ == 0) {
        out += input;
        return;
    }
    while (!input.empty()) {
        // What is far from the limit goes as a whole.
        std::size_t end = input.find('\n');
        std::size_t line = end == std::string_view::npos ? input.size() : end + 1;
        if (column_ + line + longest_rest <= limit_) {
            out += input.substr(0, line);
            cr_ = input[line - 1] == '\r';
            column_ = end == std::string_view::npos ? column_ + line : 0;
            input.remove_prefix(line);
            continue;
        }
        char c = input.front();
        input.remove_prefix(1);
        bool is_end = c == '\r' || (c == '\n' && cr_);
        std::size_t most = begins_sequence(c) && limit_ > longest_rest ? limit_ - longest_rest : limit_;
        if (column_ >= most && !is_end) {
            out += "\r\n ";
            column_ = 1;
        }
        out += c;
        column_ = c == '\n' ? 0 : column_ + 1;
        cr_ = c == '\r';
    }
}

}  // namespace smtp
