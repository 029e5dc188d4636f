// Messages between programs: one struct, one list of fields.
//
//   struct Named {                              // cleanup -> qmgr: the file has its name
//       static constexpr std::string_view message_name = "named";
//       std::string queue_id;
//       static void fields(auto& message, auto& visit) { visit("queue_id", message.queue_id); }
//   };
//
// encode(), decode() and describe() walk that list, so both ends cannot disagree.  On the wire a
// message is one SOCK_SEQPACKET record: its name, NUL, then for each field its name, NUL, the
// length of its value in decimal, ':', the value.  Numbers are decimal text.  An empty optional is
// left out, a vector repeats its field, a struct within is a value made the same way, a descriptor
// is its index among those that travel with the record.  An enum names its highest value last_.
//
// Daemons of two releases meet during an upgrade: decode() passes over names it does not know and
// leaves what is missing at the struct's default.  What is there must be right in type and range:
// anything else is Invalid.
//
// A receiver that may open no more files (RLIMIT_NOFILE) gets a record without its descriptors: the
// packet is cut.  That is nobody's mistake.  decode() answers Temporary, so that a cut message is never
// taken for one that has no descriptor; who can answer the sender reads it with decode_cut() and refuses it.
#pragma once

#include "libutil/result.h"
#include "libutil/text.h"
#include "libutil/unique_fd.h"

#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace ipc {

// The largest record; what is larger is sent in pieces (see Content).
constexpr std::size_t max_packet_size = 128 * 1024;
constexpr std::size_t max_packet_descriptors = 8;
constexpr std::size_t max_packet_fields = 8192;
// Bytes of message content in one record.
constexpr std::size_t content_piece_size = 64 * 1024;

// Descriptors that a peer has sent.  Those that nobody takes are closed without waiting, whatever he has set on them;
// who takes one out, as decode() does into a message's field, sees to that himself (util::sys::close_at_once()).
struct SentDescriptors : std::vector<util::UniqueFd> {
    using std::vector<util::UniqueFd>::vector;
    SentDescriptors() = default;
    SentDescriptors(SentDescriptors&&) = default;
    SentDescriptors& operator=(SentDescriptors&& other) noexcept
    {
        drop();
        vector::operator=(std::move(other));
        return *this;
    }
    ~SentDescriptors() { drop(); }
    void drop();
};

// A record as it travels.
struct Packet {
    std::string bytes;
    SentDescriptors descriptors;
    // Descriptors came with it that this process could not take; of these it has none.
    bool cut = false;

    // The message's name, empty if the record does not begin with one.
    std::string_view name() const;
};

namespace detail {

template <typename T>
struct IsOptional : std::false_type {};
template <typename T>
struct IsOptional<std::optional<T>> : std::true_type {};
template <typename T>
struct IsVector : std::false_type {};
template <typename T>
struct IsVector<std::vector<T>> : std::true_type {};

struct AnyVisitor {
    void operator()(std::string_view, auto&) {}
};
template <typename T>
concept Struct = requires(T& value, AnyVisitor& visit) { T::fields(value, visit); };

void put_field(std::string& out, std::string_view name, std::string_view value);
void put_number(std::string& out, std::string_view name, std::int64_t value);
void put_unsigned(std::string& out, std::string_view name, std::uint64_t value);

class Encoder {
public:
    Encoder(std::string& out, std::vector<int>& descriptors) : out_(out), descriptors_(descriptors) {}

    template <typename T>
    void operator()(std::string_view name, const T& value)
    {
        if constexpr (std::same_as<T, bool>)
            put_unsigned(out_, name, value ? 1 : 0);
        else if constexpr (std::is_enum_v<T>)
            put_unsigned(out_, name, static_cast<std::uint64_t>(value));
        else if constexpr (std::unsigned_integral<T>)
            put_unsigned(out_, name, value);
        else if constexpr (std::signed_integral<T>)
            put_number(out_, name, value);
        else if constexpr (std::convertible_to<const T&, std::string_view>)
            put_field(out_, name, value);
        else if constexpr (std::same_as<T, util::UniqueFd>) {
            if (value.valid()) {
                put_unsigned(out_, name, descriptors_.size());
                descriptors_.push_back(value.get());
            }
        } else if constexpr (IsOptional<T>::value) {
            if (value)
                (*this)(name, *value);
        } else if constexpr (IsVector<T>::value) {
            for (const auto& element : value)
                (*this)(name, element);
        } else {
            static_assert(Struct<T>, "a field is text, a number, an enum, a descriptor, or has fields()");
            std::string inner;
            Encoder encoder(inner, descriptors_);
            T::fields(value, encoder);
            put_field(out_, name, inner);
        }
    }

private:
    std::string& out_;
    std::vector<int>& descriptors_;
};

struct Field {
    std::string_view name;
    std::string_view value;
    bool used = false;
};

// Splits a value made of fields; Invalid when it is not well-formed.
util::Result<std::vector<Field>> split_fields(std::string_view bytes);

class Decoder {
public:
    // `cut`: fields that name a descriptor stay without.
    Decoder(std::vector<Field>& fields, std::vector<util::UniqueFd>& descriptors, bool cut = false)
        : fields_(fields), descriptors_(descriptors), cut_(cut)
    {
    }

    template <typename T>
    void operator()(std::string_view name, T& value)
    {
        if constexpr (IsVector<T>::value) {
            value.clear();
            while (Field* field = next(name)) {
                typename T::value_type element{};
                assign(*field, element);
                value.push_back(std::move(element));
            }
        } else if (Field* field = next(name)) {
            if constexpr (IsOptional<T>::value) {
                typename T::value_type inner{};
                assign(*field, inner);
                value = std::move(inner);
            } else {
                assign(*field, value);
            }
            if (next(name))
                fail(name, "is there twice");
        }
    }

    util::Result<void> finish() &&;

private:
    Field* next(std::string_view name);
    void fail(std::string_view name, std::string_view what);

    template <typename T>
    void assign(const Field& field, T& value)
    {
        if constexpr (std::same_as<T, std::string>) {
            value = field.value;
        } else if constexpr (std::same_as<T, bool> || std::is_enum_v<T> || std::unsigned_integral<T>) {
            std::uint64_t max = 1;
            if constexpr (std::is_enum_v<T>)
                max = static_cast<std::uint64_t>(T::last_);
            else if constexpr (!std::same_as<T, bool>)
                max = std::numeric_limits<T>::max();
            auto number = util::parse_unsigned(field.value, max);
            if (number.ok())
                value = static_cast<T>(*number);
            else
                fail(field.name, number.error().text);
        } else if constexpr (std::signed_integral<T>) {
            auto number = util::parse_signed(field.value);
            if (number.ok() && *number >= std::numeric_limits<T>::min() &&
                *number <= std::numeric_limits<T>::max())
                value = static_cast<T>(*number);
            else
                fail(field.name, "is not a number in range");
        } else if constexpr (std::same_as<T, util::UniqueFd>) {
            auto index = util::parse_unsigned(field.value, max_packet_descriptors);
            if (index.ok() && cut_)
                value.reset();
            else if (index.ok() && *index < descriptors_.size() && descriptors_[*index].valid())
                value = std::move(descriptors_[*index]);
            else
                fail(field.name, "names a descriptor that did not come");
        } else {
            static_assert(Struct<T>, "a field is text, a number, an enum, a descriptor, or has fields()");
            auto inner = split_fields(field.value);
            if (!inner.ok())
                return fail(field.name, inner.error().text);
            Decoder decoder(*inner, descriptors_, cut_);
            T::fields(value, decoder);
            if (auto result = std::move(decoder).finish(); !result.ok())
                fail(field.name, result.error().text);
        }
    }

    std::vector<Field>& fields_;
    std::vector<util::UniqueFd>& descriptors_;
    bool cut_;
    std::size_t cursor_ = 0;
    std::optional<util::Error> error_;
};

class Describer {
public:
    explicit Describer(std::string& out) : out_(out) {}

    template <typename T>
    void operator()(std::string_view name, const T& value)
    {
        if constexpr (IsOptional<T>::value) {
            if (value)
                (*this)(name, *value);
        } else if constexpr (IsVector<T>::value) {
            for (const auto& element : value)
                (*this)(name, element);
        } else {
            out_ += out_.empty() || out_.back() == '{' ? "" : ", ";
            out_ += name;
            out_ += '=';
            if constexpr (std::is_enum_v<T>)
                util::append(out_, static_cast<std::uint64_t>(value));
            else if constexpr (std::integral<T>)
                util::append(out_, value);
            else if constexpr (std::same_as<T, util::UniqueFd>)
                out_ += value.valid() ? "(descriptor)" : "(none)";
            else if constexpr (std::convertible_to<const T&, std::string_view>)
                out_ += util::printable(value, 100);
            else {
                out_ += '{';
                T::fields(value, *this);
                out_ += '}';
            }
        }
    }

private:
    std::string& out_;
};

util::Result<std::vector<Field>> split_message(std::string_view bytes, std::string_view name);

}  // namespace detail

// The bytes of a message; the numbers of the descriptors that go with it are added to
// `descriptors` (they stay the message's).
template <typename Message>
std::string encode(const Message& message, std::vector<int>& descriptors)
{
    std::string bytes(Message::message_name);
    bytes += '\0';
    detail::Encoder encoder(bytes, descriptors);
    Message::fields(message, encoder);
    return bytes;
}

// What is wrong with a cut packet: Temporary, Error::code EMFILE; the text names the limit.
util::Error cut_error();

namespace detail {

template <typename Message>
util::Result<Message> decode_message(Packet& packet, bool cut)
{
    auto fields = split_message(packet.bytes, Message::message_name);
    if (!fields.ok())
        return fields.take_error();
    Message message{};
    Decoder decoder(*fields, packet.descriptors, cut);
    Message::fields(message, decoder);
    if (auto result = std::move(decoder).finish(); !result.ok())
        return std::move(result).take_error().in(Message::message_name);
    return message;
}

}  // namespace detail

// The message in a packet, whose descriptors it takes; those it does not take are closed with the
// packet.  Invalid when the packet holds another message, or this one malformed; cut_error() when it
// was cut.
template <typename Message>
util::Result<Message> decode(Packet& packet)
{
    if (packet.cut)
        return cut_error();
    return detail::decode_message<Message>(packet, false);
}

// The message in a packet that was cut, without its descriptors: for the answer that it was not taken.
template <typename Message>
util::Result<Message> decode_cut(Packet& packet)
{
    return detail::decode_message<Message>(packet, true);
}

// "name=value, name=value", for the log at level verbose; secrets are the caller's care.
template <typename Message>
std::string describe(const Message& message)
{
    std::string text;
    detail::Describer describer(text);
    Message::fields(message, describer);
    return util::concat(Message::message_name, ": ", text);
}

}  // namespace ipc
