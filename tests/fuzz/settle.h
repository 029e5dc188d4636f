// Sessions over one store come to rest, whatever their clients have said.
#pragma once

#include "libstore/store.h"
#include "libutil/check.h"

namespace fuzz {

template <typename... Session>
void settle(store::Store& store, Session&... sessions)
{
    bool busy = true;
    for (int round = 0; busy && round < 10'000; ++round) {
        busy = false;
        auto work = [&busy](auto& session) {
            session.output().clear();
            if (session.has_work()) {
                session.work();
                busy = true;
            }
        };
        (work(sessions), ...);
        if (store.last() > store.durable()) {
            (void)store.sync();
            (void)store.collect();
            (sessions.durable_grew(), ...);
            busy = true;
        }
    }
    bool came_to_rest = !busy;
    CHECK(came_to_rest);
}

}  // namespace fuzz
