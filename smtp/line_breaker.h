// LineBreaker: no line of a message is longer than a limit (RFC 5321 §4.5.3.1.6): the rest goes on the
// next one behind a blank, as Postfix does it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace smtp {

class LineBreaker {
public:
    // Bytes of a line without its end; 0: no limit.
    explicit LineBreaker(std::size_t limit) : limit_(limit) {}

    void feed(std::string_view input, std::string& out);

private:
    std::size_t limit_;
    std::size_t column_ = 0;
    bool cr_ = false;   // the last byte was a CR
};

}  // namespace smtp
