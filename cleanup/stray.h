// StrayFilter: a CR without LF, or a LF without CR, becomes a space.
//
// RFC 5321 §2.3.8 allows neither; what takes one for a line end sees another message than what does
// not (SMTP smuggling).  Bytes pass in pieces of any size.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace cleanup {

class StrayFilter {
public:
    // Changes `bytes` in place.  A CR at its end waits for what follows: it comes back at the front
    // of the next piece, or from finish().
    void filter(std::string& bytes);
    // What still waits.
    std::string_view finish();

    std::uint64_t replaced() const { return replaced_; }

private:
    bool carriage_return_ = false;   // the last piece ended with one
    std::uint64_t replaced_ = 0;
};

}  // namespace cleanup
