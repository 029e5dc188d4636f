// tern stats: numbers of a running instance, for people, as JSON, and in Prometheus' text form.
#pragma once

#include "libipc/statistics.h"
#include "tools/tern/instance.h"

#include <vector>

namespace tern {

// The exit status.
int stats(const Instance& instance, int count, char** words);

// "deliveries_total{result="sent"} 12" in columns; one JSON object; with HELP and TYPE lines and "tern_" before
// each name.  Metrics of one name stand together.
std::string stats_to_text(const std::vector<ipc::Metric>& metrics);
std::string stats_to_json(const std::vector<ipc::Metric>& metrics);
std::string stats_to_prometheus(const std::vector<ipc::Metric>& metrics);

}  // namespace tern
