// The main.cf(5) parameters of pipe(8).
#pragma once

#include "libconf/parameter.h"
#include "libutil/text.h"

#include <string>
#include <string_view>

namespace piping {

// The time limit of one service's commands.  Without a service: the family of all of them, for ternconf(1).
class TimeLimit : public conf::Duration {
public:
    TimeLimit(conf::Section* section, std::string_view service)
        : conf::Duration(section, service.empty() ? "transport_time_limit" : util::concat(service, suffix),
                         "$command_time_limit",
                         {.min = std::chrono::seconds(1), .max = std::chrono::hours(24)},
                         "How long a command of pipe(8) may run; the name begins with that of the service in "
                         "master.cf."),
          family_(service.empty())
    {
    }

    bool covers(std::string_view name) const override
    {
        return name == this->name() || (family_ && name.size() > suffix.size() && name.ends_with(suffix));
    }
    // Others have names that end so, too: the limits are each service's own affair.
    util::Result<void> read_member(std::string_view, std::string_view text) override
    {
        TRY(conf::parse_duration(text, "s"));
        return {};
    }

private:
    static constexpr std::string_view suffix = "_time_limit";
    bool family_;
};

struct Config : conf::Section {
    explicit Config(std::string_view service = {}) : time_limit(this, service) {}
    TimeLimit time_limit;
    conf::TableNames delivery_status_filter{this, "pipe_delivery_status_filter", "$default_delivery_status_filter",
        "Tables that change the outcome of a delivery, by its status and text, such as \"5.1.1 text\", into another "
        "such: a failure for now may become one for good, or the other way round, and its text may change; a success "
        "stays one."};
    conf::TableNames default_status_filter{this, "default_delivery_status_filter", "",
        "The tables of the services that have none of their own."};
};

}  // namespace piping
