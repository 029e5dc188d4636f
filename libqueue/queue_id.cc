// Queue ids: numbers in bases 52 and 51.
#include "libqueue/queue_id.h"

#include "libutil/random.h"

#include <unistd.h>

#include <algorithm>

namespace queue {

namespace {

// Base 51 is the same without its last letter, which therefore can end the time.
constexpr std::string_view alphabet = "0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz";
static_assert(alphabet.size() == 52);
constexpr std::size_t second_digits = 6;
constexpr std::size_t microsecond_digits = 4;

void put_number(std::string& out, std::uint64_t value, std::size_t base, std::size_t width)
{
    char digits[16];
    std::size_t count = 0;
    while (value > 0 || count < width) {
        digits[count++] = alphabet[value % base];
        value /= base;
    }
    while (count > 0)
        out += digits[--count];
}

std::uint64_t get_number(std::string_view digits, std::size_t base)
{
    std::uint64_t value = 0;
    for (char digit : digits)
        value = value * base + alphabet.find(digit);
    return value;
}

}  // namespace

std::int64_t time_of(std::string_view id)
{
    auto seconds = get_number(id.substr(0, second_digits), 52);
    auto microseconds = get_number(id.substr(second_digits, microsecond_digits), 52);
    return static_cast<std::int64_t>(seconds * 1'000'000 + microseconds);
}

bool is_queue_id(std::string_view text)
{
    constexpr std::size_t time_digits = second_digits + microsecond_digits;
    return text.size() >= min_queue_id_length && text.size() <= max_queue_id_length &&
           text[time_digits] == 'z' && text.find('z', time_digits + 1) == text.npos &&
           std::all_of(text.begin(), text.end(), [](char c) { return alphabet.find(c) != alphabet.npos; });
}

IdSource::IdSource()
    : component_((static_cast<std::uint64_t>(::getpid()) << 10) | (util::random_u64() & 0x3ff))
{
}

std::string IdSource::next(util::WallTime now)
{
    last_ = std::max(last_ + 1, now.time_since_epoch().count());
    std::string id;
    put_number(id, static_cast<std::uint64_t>(last_ / 1'000'000), 52, second_digits);
    put_number(id, static_cast<std::uint64_t>(last_ % 1'000'000), 52, microsecond_digits);
    id += alphabet.back();
    put_number(id, component_, 51, 1);
    return id;
}

}  // namespace queue
