// What a session may be given so that searches are quick and delay nobody: an index, and another process.
//
// The engine does no I/O itself; without aids it looks at one message after the other, in slices.
#pragma once

#include "libsearch/index.h"

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace imapd::engine {

class SearchAids {
public:
    virtual ~SearchAids() = default;

    // The index as it is now; nullptr if there is none.  Shared, since a search goes on with the one that it began
    // with when the mailbox has opened the next.
    virtual std::shared_ptr<search::Index> index() = 0;

    // Work that another process does.
    class Errand {
    public:
        virtual ~Errand() = default;   // which ends it
        // What it has said since the last call.
        virtual std::string take() = 0;
        virtual bool has_news() const = 0;
        // It has ended; take() may still have something.
        virtual bool is_over() const = 0;
    };
    using Say = std::function<void(std::string_view)>;
    // Lets a copy of this process do `work` upon all as it stands now; whatever it changes is lost with it but what
    // it says.  The session is given time when there is news.  nullptr: not now.
    virtual std::unique_ptr<Errand> begin(std::function<void(const Say&)> work) = 0;
};

}  // namespace imapd::engine
