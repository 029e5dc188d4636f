// Errors as values: Result<T>, Error and TRY().
//
// A function that can fail returns Result<T>.  The kind of an Error answers the one question that
// mail asks of every failure: try again later (4xx) or give up (5xx).
#pragma once

#include "libutil/check.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace util {

enum class Kind : unsigned char {
    Invalid,    // the input is wrong; the same input will fail again
    NotFound,   // what was named does not exist
    Temporary,  // it may work later: no space, no descriptors, a peer is away, a time limit
    Permanent,  // it will not work: refused, not permitted, not supported
};

std::string_view name_of(Kind kind);

struct Error {
    Kind kind = Kind::Temporary;
    std::string text;  // one line for a person, without a trailing full stop
    int code = 0;      // errno, where a system call failed; else 0

    // The same error with "where: " before its text.
    [[nodiscard]] Error in(std::string_view where) &&;
};

inline Error invalid(std::string text) { return {Kind::Invalid, std::move(text)}; }
inline Error not_found(std::string text) { return {Kind::NotFound, std::move(text)}; }
inline Error temporary(std::string text) { return {Kind::Temporary, std::move(text)}; }
inline Error permanent(std::string text) { return {Kind::Permanent, std::move(text)}; }

// The error of a failed system call: "open /x: No such file or directory".  ENOENT is NotFound;
// EACCES, EPERM, EROFS, ENAMETOOLONG, ELOOP, ENOTDIR, EISDIR and EINVAL are Permanent; all others
// are Temporary.
Error system_error(std::string_view what, int code);

template <typename T>
class [[nodiscard]] Result {
public:
    using value_type = T;

    Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
    Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

    template <typename U>
        requires(!std::is_same_v<std::remove_cvref_t<U>, T> &&
                 !std::is_same_v<std::remove_cvref_t<U>, Error> &&
                 !std::is_same_v<std::remove_cvref_t<U>, Result<T>> && std::is_convertible_v<U, T>)
    Result(U&& value) : state_(std::in_place_index<0>, std::forward<U>(value))
    {
    }

    bool ok() const { return state_.index() == 0; }
    explicit operator bool() const { return ok(); }

    T& value() &
    {
        CHECK(ok());
        return *std::get_if<0>(&state_);
    }
    const T& value() const&
    {
        CHECK(ok());
        return *std::get_if<0>(&state_);
    }
    T&& value() &&
    {
        CHECK(ok());
        return std::move(*std::get_if<0>(&state_));
    }
    // Moves the value out; the Result is spent.
    T take()
    {
        CHECK(ok());
        return std::move(*std::get_if<0>(&state_));
    }
    T value_or(T fallback) &&
    {
        return ok() ? std::move(*std::get_if<0>(&state_)) : std::move(fallback);
    }

    T& operator*() & { return value(); }
    const T& operator*() const& { return value(); }
    T* operator->() { return &value(); }
    const T* operator->() const { return &value(); }

    const Error& error() const
    {
        CHECK(!ok());
        return *std::get_if<1>(&state_);
    }
    Error take_error()
    {
        CHECK(!ok());
        return std::move(*std::get_if<1>(&state_));
    }

private:
    std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
public:
    using value_type = void;

    Result() = default;
    Result(Error error) : error_(std::move(error)) {}

    bool ok() const { return !error_; }
    explicit operator bool() const { return ok(); }
    void value() const { CHECK(ok()); }
    void take() const { CHECK(ok()); }

    const Error& error() const
    {
        CHECK(!ok());
        return *error_;
    }
    Error take_error()
    {
        CHECK(!ok());
        return std::move(*error_);
    }

private:
    std::optional<Error> error_;
};

// The value of a Result, or return its error from the function around: auto fd = TRY(open(..));
// Do not nest one TRY inside another.
#define TRY(expression)                          \
    __extension__({                              \
        auto&& try_result_ = (expression);       \
        if (!try_result_.ok()) [[unlikely]]      \
            return try_result_.take_error();     \
        try_result_.take();                      \
    })

}  // namespace util
