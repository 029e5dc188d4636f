// Which policy of MTA-STS a domain has: the control flow of RFC 8461 §3.3 and §5.1, over a store.
#pragma once

#include "libipc/sts.h"
#include "libutil/time.h"
#include "sts/policy_store.h"

#include <functional>

namespace sts {

class Discovery {
public:
    struct Sources {
        std::function<trust::StsRecordAnswer(const std::string& domain)> record;
        std::function<trust::StsFetched(const std::string& domain)> fetch;
        std::function<std::int64_t()> clock;  // seconds since 1970
        std::function<bool()> wants_stop = [] { return false; };
        // Told of each fetch that failed.
        std::function<void(const std::string& domain, const trust::StsFetched& failed)> failed = {};
    };
    struct Times {
        std::int64_t failure = 300;   // seconds: sts_failure_time
        std::int64_t refresh = 86400; // sts_refresh_time
        std::int64_t pass = 600;      // of one refresh(): slow web servers must not occupy one process after the other
    };

    Discovery(const PolicyStore& store, Sources sources, Times times)
        : store_(store), sources_(std::move(sources)), times_(times) {}

    // A domain that can have none has none.
    ipc::StsReply answer(const std::string& domain);
    // Fetches policies again that are older than the refresh time, and forgets those that have run out.  What
    // there is no time for is left to the next pass; each begins somewhere else.
    void refresh();

private:
    Entry known(const std::string& domain) const;
    void fetch(Entry& entry, const std::string& id);
    void keep(const Entry& entry) const;
    void refresh_one(const std::string& domain);

    const PolicyStore& store_;
    Sources sources_;
    Times times_;
};

}  // namespace sts
