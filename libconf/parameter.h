// Parameters: each is declared once, in the Config of the program that reads it.
//
//   struct Config : conf::Section {
//       conf::Duration timeout{this, "smtpd_timeout", "300s", {.min = 1s, .max = 1h},
//           "How long to wait for the next command before the session ends with 421."};
//   };
//
// A default is main.cf text: $name works, and `ternconf -d` prints it as it stands here.  The type,
// default, limits and sentence are also the manual's entry.  A parameter reads as its value:
// `if (config.soft_bounce)`, `*config.timeout`, `config.banner->size()`.  A section does not
// move.  Values come from conf::MainCf::fill().
#pragma once

#include "libconf/main_cf.h"
#include "libutil/time.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace conf {

class Parameter;

class Section {
public:
    Section() = default;
    Section(const Section&) = delete;
    Section& operator=(const Section&) = delete;
    virtual ~Section();

    const std::vector<Parameter*>& parameters() const { return parameters_; }

    // Before values are read: the place for defaults that depend on the machine or on settings.
    virtual void prepare(const MainCf& settings);
    // After values were read: the place for rules between parameters.
    virtual void verify(const MainCf& settings, Problems& problems) const;
    // What only `tern check` looks at, before a start or reload: mistakes that a daemon lives with when
    // they come later.
    virtual void check(const MainCf& settings, Problems& problems) const;

private:
    friend class Parameter;
    std::vector<Parameter*> parameters_;
};

class Parameter {
public:
    Parameter(Section* section, std::string_view name, std::string_view default_text,
              std::string_view description);
    Parameter(const Parameter&) = delete;
    Parameter& operator=(const Parameter&) = delete;
    virtual ~Parameter();

    const std::string& name() const { return name_; }
    const std::string& default_text() const { return default_text_; }
    void set_default_text(std::string text) { default_text_ = std::move(text); }
    const std::string& description() const { return description_; }

    // What may be written, for the manual: "time, at least 1s, at most 1h".
    virtual std::string type() const = 0;
    // Takes an expanded value.  Invalid: what is wrong with it, without the name.
    virtual util::Result<void> read(std::string_view text) = 0;


    // Parameters that are families of names: smtp_destination_concurrency_limit belongs to
    // default_destination_concurrency_limit.  All others cover their own name.
    virtual bool covers(std::string_view name) const { return name == name_; }
    // Defaults of members of the family.
    virtual std::vector<std::pair<std::string, std::string>> member_defaults() const { return {}; }
    virtual util::Result<void> read_member(std::string_view name, std::string_view text);

    // Is its value read as it stands in main.cf, for its $names to be replaced later?
    virtual bool is_raw() const { return false; }

private:
    std::string name_;
    std::string default_text_;
    std::string description_;
};

// A parameter of type T.
template <typename T>
class Value : public Parameter {
public:
    using Parameter::Parameter;

    const T& operator*() const { return value_; }
    const T* operator->() const { return &value_; }
    operator const T&() const { return value_; }

    virtual util::Result<T> parse(std::string_view text) const = 0;
    util::Result<void> read(std::string_view text) override
    {
        value_ = TRY(parse(text));
        return {};
    }
    // For tests, and for programs that decide a value themselves.
    void set(T value) { value_ = std::move(value); }

private:
    T value_{};
};

struct TextLimits {
    std::size_t min = 0;  // bytes
    std::size_t max = max_value_length;
};

class Text : public Value<std::string> {
public:
    Text(Section* section, std::string_view name, std::string_view default_text,
         std::string_view description);
    Text(Section* section, std::string_view name, std::string_view default_text, TextLimits limits,
         std::string_view description);
    std::string type() const override;
    util::Result<std::string> parse(std::string_view text) const override;

private:
    TextLimits limits_;
};

// Text whose $names are not parameters: they are replaced when it is used (conf::expand).
class RawText : public Text {
public:
    using Text::Text;
    bool is_raw() const override { return true; }
};

// yes or no.
class Flag : public Value<bool> {
public:
    using Value::Value;
    std::string type() const override;
    util::Result<bool> parse(std::string_view text) const override;
};

struct NumberLimits {
    std::uint64_t min = 0;
    std::uint64_t max = INT64_MAX;
};

// A whole number of things.
class Count : public Value<std::uint64_t> {
public:
    Count(Section* section, std::string_view name, std::string_view default_text,
          std::string_view description);
    Count(Section* section, std::string_view name, std::string_view default_text, NumberLimits limits,
          std::string_view description);
    std::string type() const override;
    util::Result<std::uint64_t> parse(std::string_view text) const override;

protected:
    const NumberLimits& limits() const { return limits_; }

private:
    NumberLimits limits_;
};

// A whole number of bytes.
class Size : public Count {
public:
    using Count::Count;
    std::string type() const override;
};

struct DurationLimits {
    util::Duration min = util::Duration::zero();
    util::Duration max = std::chrono::hours(24 * 365 * 10);
};

// A number with one of the units ms, s, m, h, d, w.  Without unit, the unit of the default counts.
class Duration : public Value<util::Duration> {
public:
    Duration(Section* section, std::string_view name, std::string_view default_text,
             std::string_view description);
    Duration(Section* section, std::string_view name, std::string_view default_text,
             DurationLimits limits, std::string_view description);
    std::string type() const override;
    util::Result<util::Duration> parse(std::string_view text) const override;

private:
    DurationLimits limits_;
};

// An absolute path; or empty, where that has a meaning.
class Path : public Value<std::string> {
public:
    using Value::Value;
    std::string type() const override;
    util::Result<std::string> parse(std::string_view text) const override;
};

// Words between white space and commas (words.h).
class Words : public Value<std::vector<std::string>> {
public:
    using Value::Value;
    std::string type() const override;
    util::Result<std::vector<std::string>> parse(std::string_view text) const override;
};

// Tables, as type:name (table.h): of known types.  Opening never reads, so a file may be missing.
class TableNames : public Words {
public:
    using Words::Words;
    std::string type() const override;
    util::Result<std::vector<std::string>> parse(std::string_view text) const override;
};

namespace detail {
std::string choice_type(const std::vector<std::string_view>& names);
util::Result<std::size_t> parse_choice(const std::vector<std::string_view>& names,
                                       std::string_view text);
}  // namespace detail

// One of some names, without regard to case:
//   conf::Choice<Level> level{this, "x_security_level", "may",
//                             {{"none", Level::None}, {"may", Level::May}}, "..."};
// An empty name may be one of them.
template <typename T>
class Choice : public Value<T> {
public:
    using Names = std::vector<std::pair<std::string_view, T>>;
    Choice(Section* section, std::string_view name, std::string_view default_text, Names names,
           std::string_view description) :
        Value<T>(section, name, default_text, description)
    {
        for (const auto& entry : names) {
            names_.push_back(entry.first);
            values_.push_back(entry.second);
        }
    }
    std::string type() const override { return detail::choice_type(names_); }
    util::Result<T> parse(std::string_view text) const override
    {
        return values_[TRY(detail::parse_choice(names_, text))];
    }

private:
    std::vector<std::string_view> names_;
    std::vector<T> values_;
};

// A parameter with a value for each transport: main.cf's smtp_destination_rate_delay, if it is
// there, else default_destination_rate_delay.  The members of "default_NAME" are "TRANSPORT_NAME",
// those of any other NAME are "TRANSPORT_NAME", too.
class TransportNames {
public:
    explicit TransportNames(std::string_view name);
    // The transport of a member's name; empty when it is none.
    std::string_view transport_of(std::string_view member) const;
    std::string member_of(std::string_view transport) const;

private:
    std::string suffix_;
};

template <typename Base>
class PerTransport : public Base {
public:
    using T = std::remove_cvref_t<decltype(*std::declval<const Base&>())>;
    using Defaults = std::vector<std::pair<std::string_view, std::string_view>>;

    // `defaults` are those of transports that differ: {{"local", "2"}}.
    PerTransport(Section* section, std::string_view name, std::string_view default_text,
                 Defaults defaults, std::string_view description) :
        Base(section, name, default_text, description), names_(name), defaults_(std::move(defaults))
    {
    }

    util::Result<void> read(std::string_view text) override
    {
        values_.clear();
        return Base::read(text);
    }

    const T& of(std::string_view transport) const
    {
        for (const auto& entry : values_) {
            if (entry.first == transport)
                return entry.second;
        }
        return **this;
    }

    bool covers(std::string_view name) const override
    {
        return name == this->name() || !names_.transport_of(name).empty();
    }
    std::vector<std::pair<std::string, std::string>> member_defaults() const override
    {
        std::vector<std::pair<std::string, std::string>> members;
        for (const auto& entry : defaults_)
            members.emplace_back(names_.member_of(entry.first), std::string(entry.second));
        return members;
    }
    util::Result<void> read_member(std::string_view name, std::string_view text) override
    {
        T value = TRY(this->parse(text));
        std::string_view transport = names_.transport_of(name);
        for (auto& entry : values_) {
            if (entry.first == transport) {
                entry.second = std::move(value);
                return {};
            }
        }
        values_.emplace_back(std::string(transport), std::move(value));
        return {};
    }

private:
    TransportNames names_;
    Defaults defaults_;
    std::vector<std::pair<std::string, T>> values_;
};

// "300s" or "5": number and unit; `unit` counts where there is none.  Invalid when it is neither.
util::Result<util::Duration> parse_duration(std::string_view text, std::string_view unit);
// The shortest main.cf text of a duration: "1h", "90s", "500ms".
std::string format_duration(util::Duration duration);

}  // namespace conf
