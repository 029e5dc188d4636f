// The bytes of records: little-endian integers and counted text, written and read field by field.
//
// A Reader never goes past its bytes: once something is missing, it answers zeros and ok() is false,
// so that a decoder checks once, at its end.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace store {

static_assert(std::endian::native == std::endian::little,
              "the store's files are little-endian and read in place");

class Writer {
public:
    explicit Writer(std::string& out) : out_(out) {}

    void u8(std::uint8_t value) { put(value); }
    void u16(std::uint16_t value) { put(value); }
    void u32(std::uint32_t value) { put(value); }
    void u64(std::uint64_t value) { put(value); }
    void i16(std::int16_t value) { put(value); }
    void i64(std::int64_t value) { put(value); }
    void varint(std::uint32_t value)   // 7 bits in a byte, the lowest first, the eighth set but in the last
    {
        for (; value >= 0x80; value >>= 7)
            u8(std::uint8_t(value | 0x80));
        u8(std::uint8_t(value));
    }
    void raw(std::string_view bytes) { out_.append(bytes); }
    void text(std::string_view bytes)  // its length in 32 bits, then the bytes
    {
        u32(std::uint32_t(bytes.size()));
        raw(bytes);
    }

private:
    template <typename Integer>
    void put(Integer value)
    {
        out_.append(reinterpret_cast<const char*>(&value), sizeof value);
    }

    std::string& out_;
};

class Reader {
public:
    explicit Reader(std::string_view bytes) : left_(bytes) {}

    std::uint8_t u8() { return get<std::uint8_t>(); }
    std::uint16_t u16() { return get<std::uint16_t>(); }
    std::uint32_t u32() { return get<std::uint32_t>(); }
    std::uint64_t u64() { return get<std::uint64_t>(); }
    std::int16_t i16() { return get<std::int16_t>(); }
    std::int64_t i64() { return get<std::int64_t>(); }
    std::uint32_t varint()
    {
        std::uint64_t value = 0;
        for (unsigned shift = 0; shift < 35; shift += 7) {
            std::uint8_t byte = u8();
            value |= std::uint64_t(byte & 0x7f) << shift;
            if (!(byte & 0x80))
                break;
            if (shift == 28)
                fail();
        }
        if (value > UINT32_MAX)
            fail();
        return ok_ ? std::uint32_t(value) : 0;
    }
    std::string_view raw(std::size_t length)
    {
        if (length > left_.size()) {
            fail();
            return {};
        }
        std::string_view bytes = left_.substr(0, length);
        left_.remove_prefix(length);
        return bytes;
    }
    std::string_view text() { return raw(u32()); }
    // How many elements of at least this many bytes each follow; 0 and a failure when that many
    // cannot be there.
    std::uint32_t count(std::size_t least_size)
    {
        std::uint32_t number = u32();
        if (number > left_.size() / least_size) {
            fail();
            return 0;
        }
        return number;
    }

    std::string_view left() const { return left_; }
    bool ok() const { return ok_; }
    void fail()
    {
        ok_ = false;
        left_ = {};
    }

private:
    template <typename Integer>
    Integer get()
    {
        Integer value = 0;
        if (left_.size() < sizeof value) {
            fail();
            return 0;
        }
        std::memcpy(&value, left_.data(), sizeof value);
        left_.remove_prefix(sizeof value);
        return value;
    }

    std::string_view left_;
    bool ok_ = true;
};

}  // namespace store
