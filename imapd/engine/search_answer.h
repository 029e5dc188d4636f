// What SEARCH and SORT say of their result: RFC 4731, RFC 5267 §3.1, RFC 9394, RFC 5182 (SAVE), RFC 6203 §4 (RELEVANCY).
#pragma once

#include "imapd/engine/search_walk.h"

#include <optional>
#include <string_view>
#include <vector>

namespace imapd::engine {

class SearchAnswer {
public:
    // What is to be returned; the keys are only asked whether MODSEQ is among them.
    explicit SearchAnswer(const SearchArguments& search);

    // Says it, and keeps what SAVE asks for.  `hits` are those of the walk, perhaps in another order;
    // `verb` is the name of the response without RETURN.
    void tell(Session& session, std::string_view verb, const std::vector<Hit>& hits, const SearchWalk& walk) const;

private:
    void plain(Session& session, std::string_view verb, const std::vector<Hit>& hits, const SearchWalk& walk) const;
    void extended(Session& session, const std::vector<Hit>& hits, const SearchWalk& walk) const;
    store::Lsn modseq(const Session& session, const std::vector<Hit>& hits, const SearchWalk& walk) const;
    void save(Session& session, const std::vector<Hit>& hits) const;
    bool returns_something() const { return min_ || max_ || count_ || all_ || relevancy_ || partial_; }

    bool extended_;
    bool min_;
    bool max_;
    bool count_;
    bool all_;
    bool save_;
    bool relevancy_;
    bool tells_modseq_;
    std::optional<Partial> partial_;
};

}  // namespace imapd::engine
