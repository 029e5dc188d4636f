// StatusFilter: what tables make of the outcome of a delivery before it is logged and told: smtp_delivery_status_filter
// and its kin.  The key is "5.1.1 text", and so is the value; a failure for now may become one for good, or the
// other way round, and a success only another success.
#pragma once

#include "libconf/table.h"
#include "libipc/delivery.h"

#include <string>
#include <vector>

namespace ipc {

class StatusFilter {
public:
    StatusFilter() = default;
    // Invalid: a table's name.  `parameter` is for warnings.
    static util::Result<StatusFilter> open(const std::vector<std::string>& names, std::string parameter);

    bool active() const { return !tables_.empty(); }
    // A value that is no status, or of the wrong class, is warned of and changes nothing; where a table cannot be read the
    // outcome is a failure for now, unless it is a success.
    void apply(DeliveryStatus& status);

private:
    StatusFilter(conf::Tables tables, std::string parameter) : tables_(std::move(tables)), parameter_(std::move(parameter)) {}

    conf::Tables tables_;
    std::string parameter_;
};

}  // namespace ipc
