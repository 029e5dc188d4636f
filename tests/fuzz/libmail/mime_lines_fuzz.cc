// MimeLines: what is told lies in the input, in order, and does not depend on how the bytes come.
#include "libmail/mime_lines.h"
#include "libutil/check.h"
#include "libutil/text.h"

#include <cstdint>

namespace {

struct Recorder final : mail::MimeLinesSink {
    explicit Recorder(std::string_view body) : input(body) {}

    void field(mail::FieldClass field_class, std::string_view text, std::uint64_t offset, std::uint64_t length) override
    {
        place(text, offset, length);
        util::append(told, int(field_class), ':', offset, ':', length, '\n');
    }
    void line(std::string_view text, std::uint64_t offset, std::uint64_t length, std::uint64_t position) override
    {
        place(text, offset, length);
        CHECK(position <= offset);
        CHECK(text.find('\n') == std::string_view::npos);
        util::append(told, "t:", offset, ':', length, ':', position, '\n');
    }
    void fault(mail::MimeFault fault, std::string_view) override { util::append(told, "f:", mail::describe(fault), '\n'); }
    void place(std::string_view text, std::uint64_t offset, std::uint64_t length)
    {
        CHECK(offset >= next && length > 0 && offset + length <= input.size());
        CHECK(input.substr(offset, text.size()) == text && text.size() <= length);
        // Between what is told there are empty lines only.
        CHECK(input.substr(next, offset - next).find_first_not_of("\r\n") == std::string_view::npos);
        next = offset + length;
    }

    std::string_view input;
    std::string told;
    std::uint64_t next = 0;
};

std::string read(std::string_view type, std::string_view body, std::size_t piece)
{
    mail::MimeLimits limits{3, 8, 40, 20};
    Recorder recorder(body);
    mail::MimeLines lines(limits, recorder);
    lines.begin(type, "", 0);
    for (std::size_t at = 0; at < body.size(); at += piece)
        lines.feed(body.substr(at, piece));
    lines.finish();
    CHECK(body.substr(recorder.next).find_first_not_of("\r\n") == std::string_view::npos);
    return recorder.told;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size > 20'000)
        return 0;
    std::string_view input(reinterpret_cast<const char*>(data), size);
    for (std::string_view type : {"multipart/digest; boundary=a", "message/rfc822"}) {
        std::string whole = read(type, input, size + 1);
        CHECK(read(type, input, 1) == whole);
        CHECK(read(type, input, 7) == whole);
    }
    return 0;
}
