// Messages as threads.
#include "imapd/engine/thread_tree.h"

#include "imapd/syntax/sequence_set.h"

#include <algorithm>
#include <functional>
#include <span>
#include <utility>

namespace imapd::engine {

// --- texts ----------------------------------------------------------------------------------------

std::string_view TextNumbers::keep(std::string_view text)
{
    if (chunks_.empty() || chunks_.back().capacity() - chunks_.back().size() < text.size())
        chunks_.emplace_back().reserve(std::max(chunk_size, text.size()));
    auto& chunk = chunks_.back();
    auto before = chunk.size();
    chunk += text;
    return std::string_view(chunk).substr(before);
}

std::size_t TextNumbers::slot_of(std::size_t hash, std::string_view text) const
{
    for (std::size_t probe = 0; probe < std::min(max_probes, slots_.size()); ++probe) {
        auto slot = (hash + probe) & (slots_.size() - 1);
        if (slots_[slot] == 0)
            return slot;
        const auto& there = texts_[slots_[slot] - 1];
        if (there.hash == hash && there.text == text)
            return slot;
    }
    return crowded;
}

// At most half of the slots are taken.
void TextNumbers::grow()
{
    slots_.assign(std::max<std::size_t>(64, slots_.size() * 2), 0);
    rest_.clear();
    for (std::uint32_t i = 0; i < texts_.size(); ++i) {
        auto slot = slot_of(texts_[i].hash, texts_[i].text);
        if (slot == crowded)
            rest_.emplace(texts_[i].text, i);
        else
            slots_[slot] = i + 1;
    }
}

std::uint32_t TextNumbers::number_of(std::string_view text)
{
    if (texts_.size() * 2 >= slots_.size())
        grow();
    auto hash = std::hash<std::string_view>()(text);
    auto fresh = std::uint32_t(texts_.size());
    auto slot = slot_of(hash, text);
    if (slot == crowded) {
        if (auto found = rest_.find(text); found != rest_.end())
            return found->second;
        texts_.push_back({hash, keep(text)});
        rest_.emplace(texts_.back().text, fresh);
        return fresh;
    }
    if (slots_[slot] != 0)
        return slots_[slot] - 1;
    texts_.push_back({hash, keep(text)});
    slots_[slot] = fresh + 1;
    return fresh;
}

// --- messages -------------------------------------------------------------------------------------

ThreadTree::ThreadTree(ThreadAlgorithm algorithm, std::size_t messages) : algorithm_(algorithm)
{
    messages = std::min(messages, max_thread_nodes);
    nodes_.reserve(2 * messages);
    ids_.reserve(2 * messages);
    subjects_.reserve(messages);
    nodes_.emplace_back();
    (void)subjects_.number_of({});
}

ThreadTree::Index ThreadTree::node_of(const std::string& message_id)
{
    auto number = ids_.number_of(message_id);
    if (number == nodes_of_ids_.size()) {
        nodes_of_ids_.push_back(Index(nodes_.size()));
        nodes_.emplace_back();
    }
    return nodes_of_ids_[number];
}

// No loops, and no depth without bound.
bool ThreadTree::may_link(Index parent, Index child) const
{
    unsigned depth = 0;
    for (Index at = parent; at != 0; at = nodes_[at].parent)
        if (at == child || ++depth > max_thread_depth)
            return false;
    return true;
}

// RFC 5256 §3, REFERENCES, step 1.
bool ThreadTree::add(const ThreadItem& item)
{
    if (nodes_.size() + item.references.size() + 1 > max_thread_nodes)
        return false;
    Index before = 0;
    if (algorithm_ != ThreadAlgorithm::OrderedSubject) {
        for (const auto& reference : item.references) {
            Index next = node_of(reference);
            if (before != 0 && nodes_[next].parent == 0 && may_link(before, next))
                nodes_[next].parent = before;
            before = next;
        }
    }
    Index own = 0;
    if (!item.message_id.empty() && algorithm_ != ThreadAlgorithm::OrderedSubject)
        own = node_of(item.message_id);
    if (own == 0 || nodes_[own].number != 0) {  // no id, or one that is taken: one of its own
        own = Index(nodes_.size());
        nodes_.emplace_back();
    }
    auto& node = nodes_[own];
    node.number = item.number;
    node.sent = item.sent;
    node.arrived = item.arrived;
    node.is_reply = item.is_reply;
    node.subject = subjects_.number_of(item.subject);
    node.parent = 0;
    if (before != 0 && may_link(before, own))
        nodes_[own].parent = before;
    return true;
}

// --- children -------------------------------------------------------------------------------------

void ThreadTree::append_child(Index parent, Index child)
{
    nodes_[child].next = 0;
    if (nodes_[parent].first == 0)
        nodes_[parent].first = child;
    else
        nodes_[nodes_[parent].last].next = child;
    nodes_[parent].last = child;
}

// Those of `from` go there.
void ThreadTree::append_children_of(Index parent, Index from)
{
    auto& source = nodes_[from];
    auto& target = nodes_[parent];
    if (source.first == 0)
        return;
    if (target.first == 0)
        target.first = source.first;
    else
        nodes_[target.last].next = source.first;
    target.last = source.last;
    source.first = source.last = 0;
}

// A dummy speaks as the first of its children.
const ThreadTree::Node& ThreadTree::speaker_of(Index index) const
{
    const auto& node = nodes_[index];
    return node.number != 0 || node.first == 0 ? node : nodes_[node.first];
}

bool ThreadTree::gather(Pace& pace)
{
    while (at_ + 1 < nodes_.size()) {
        ++at_;
        append_child(nodes_[at_].parent, Index(at_));
        if (pace.over())
            return false;
    }
    return true;
}

bool ThreadTree::put_in_order(Pace& pace)
{
    if (at_ == 0) {
        order_.clear();
        order_.reserve(nodes_.size());
        waiting_.assign(1, 0);
    }
    while (!waiting_.empty()) {
        Index index = waiting_.back();
        waiting_.pop_back();
        order_.push_back(index);
        at_ = order_.size();
        if (auto next = nodes_[index].next; next != 0)
            waiting_.push_back(next);
        if (auto first = nodes_[index].first; first != 0)
            waiting_.push_back(first);
        if (pace.over())
            return false;
    }
    return true;
}

// Step 3, from below: a dummy gives way to its children, below the root only to a single one.
bool ThreadTree::prune(Pace& pace)
{
    while (at_ < order_.size()) {
        Index parent = order_[order_.size() - ++at_];
        Index child = nodes_[parent].first;
        nodes_[parent].first = nodes_[parent].last = 0;
        while (child != 0) {
            Index next = nodes_[child].next;
            const auto& below = nodes_[child];
            if (below.number != 0 || (parent == 0 && below.first != below.last))
                append_child(parent, child);
            else
                append_children_of(parent, child);
            child = next;
        }
        if (pace.over())
            return false;
    }
    return true;
}

void ThreadTree::relink(Index parent, const std::vector<Place>& children)
{
    nodes_[parent].first = nodes_[parent].last = 0;
    for (const auto& child : children)
        append_child(parent, child.index);
}

bool ThreadTree::sort_children(Index parent, Pace& pace)
{
    if (!sorting_) {
        if (nodes_[parent].first == nodes_[parent].last)
            return true;
        std::vector<Place> children;
        for (Index child = nodes_[parent].first; child != 0; child = nodes_[child].next)
            children.push_back({speaker_of(child).sent, speaker_of(child).number, child});
        sort_.begin(std::move(children));
        sorting_ = true;
    }
    if (!sort_.step(pace, std::less<>()))
        return false;
    sorting_ = false;
    relink(parent, sort_.take());
    return true;
}

// Steps 4 and 6: children before their parents, which may be dummies.
bool ThreadTree::sort_siblings(Pace& pace)
{
    while (at_ < order_.size()) {
        if (!sort_children(order_[order_.size() - at_ - 1], pace))
            return false;
        ++at_;
        if (pace.over())
            return false;
    }
    return true;
}

// --- subjects -------------------------------------------------------------------------------------

bool ThreadTree::list_threads(Pace&)
{
    threads_.clear();
    for (Index thread = nodes_[0].first; thread != 0; thread = nodes_[thread].next)
        threads_.push_back(thread);
    return true;
}

// Step 5 B: which thread a subject's others join.
bool ThreadTree::find_subjects(Pace& pace)
{
    places_.resize(subjects_.size());
    while (at_ < threads_.size()) {
        Index current = threads_[at_++];
        auto& place = places_[speaker_of(current).subject];
        Index first = place != 0 ? threads_[place - 1] : 0;
        bool better = first != 0 && nodes_[first].number != 0 &&
                      (nodes_[current].number == 0 || (nodes_[first].is_reply && !nodes_[current].is_reply));
        if (first == 0 || better)
            place = std::uint32_t(at_);
        if (pace.over())
            return false;
    }
    return true;
}

// `first` is what the table has for the subject.
void ThreadTree::merge_into(Index& first, Index current)
{
    bool first_is_dummy = nodes_[first].number == 0;
    bool current_is_dummy = nodes_[current].number == 0;
    if (first_is_dummy && current_is_dummy)
        return append_children_of(first, current);
    bool below = first_is_dummy || (nodes_[current].is_reply && !nodes_[first].is_reply);
    if (below && !current_is_dummy)
        return append_child(first, current);
    // Both under a new dummy, which takes the place of the first among the threads.
    auto dummy = Index(nodes_.size());
    nodes_.emplace_back();
    append_child(dummy, first);
    append_child(dummy, current);
    first = dummy;
}

// Step 5 C.
bool ThreadTree::merge_subjects(Pace& pace)
{
    while (at_ < threads_.size()) {
        auto subject = speaker_of(threads_[at_]).subject;
        auto place = places_[subject];
        if (subject != 0 && place != at_ + 1)
            merge_into(threads_[place - 1], std::exchange(threads_[at_], 0));
        ++at_;
        if (pace.over())
            return false;
    }
    return true;
}

bool ThreadTree::join_threads(Pace&)
{
    nodes_[0].first = nodes_[0].last = 0;
    for (Index thread : threads_)
        if (thread != 0)
            append_child(0, thread);
    return true;
}

// --- other orders ---------------------------------------------------------------------------------

// Of each thread and what is below it.
bool ThreadTree::find_latest(Pace& pace)
{
    latest_.resize(nodes_.size(), INT64_MIN);
    while (at_ < order_.size()) {
        Index index = order_[order_.size() - ++at_];
        auto& latest = latest_[index];
        if (nodes_[index].number != 0)
            latest = nodes_[index].arrived;
        for (Index child = nodes_[index].first; index != 0 && child != 0; child = nodes_[child].next)
            latest = std::max(latest, latest_[child]);
        if (pace.over())
            return false;
    }
    return true;
}

// Of the same time: as they stand.
bool ThreadTree::sort_by_arrival(Pace& pace)
{
    if (!std::exchange(sorting_, true)) {
        std::vector<Place> threads;
        for (Index thread = nodes_[0].first; thread != 0; thread = nodes_[thread].next)
            threads.push_back({latest_[thread], std::uint32_t(threads.size()), thread});
        sort_.begin(std::move(threads));
    }
    if (!sort_.step(pace, std::less<>()))
        return false;
    sorting_ = false;
    relink(0, sort_.take());
    return true;
}

bool ThreadTree::sort_by_date(Pace& pace)
{
    return sort_children(0, pace);
}

// ORDEREDSUBJECT: the first of a subject has all others as its children.
bool ThreadTree::group_by_subject(Pace& pace)
{
    if (at_ == 0) {
        places_.resize(subjects_.size());
        nodes_[0].first = nodes_[0].last = 0;
    }
    while (at_ < threads_.size()) {
        Index message = threads_[at_++];
        auto& first = places_[nodes_[message].subject];
        append_child(first, message);
        if (first == 0)   // it went below the root
            first = message;
        if (pace.over())
            return false;
    }
    return true;
}

// --- the end --------------------------------------------------------------------------------------

bool ThreadTree::write(Pace& pace)
{
    constexpr Index close = UINT32_MAX;
    if (at_ == 0) {
        waiting_.clear();
        if (nodes_[0].first != 0) {
            waiting_.push_back(nodes_[0].first);
            text_ = " ";
        }
        at_ = 1;
    }
    while (!waiting_.empty()) {
        Index index = waiting_.back();
        waiting_.pop_back();
        if (index == close) {
            text_ += ')';
            continue;
        }
        if (nodes_[index].next != 0)
            waiting_.push_back(nodes_[index].next);
        waiting_.push_back(close);
        text_ += '(';
        for (; nodes_[index].number != 0; index = nodes_[index].first) {
            const auto& node = nodes_[index];
            syntax::append_number(text_, node.number);
            if (node.first != 0)
                text_ += ' ';
            if (node.first == 0 || node.first != node.last)
                break;
        }
        if (nodes_[index].first != 0)
            waiting_.push_back(nodes_[index].first);
        if (pace.over())
            return false;
    }
    return true;
}

bool ThreadTree::finish(Pace& pace)
{
    using Tree = ThreadTree;
    static constexpr Stage ordered_subject[] = {&Tree::gather, &Tree::sort_by_date, &Tree::list_threads,
                                                &Tree::group_by_subject, &Tree::write};
    static constexpr Stage references[] = {&Tree::gather,        &Tree::put_in_order,   &Tree::prune,
                                           &Tree::put_in_order,  &Tree::sort_siblings,  &Tree::list_threads,
                                           &Tree::find_subjects, &Tree::merge_subjects, &Tree::join_threads,
                                           &Tree::put_in_order,  &Tree::sort_siblings,  &Tree::write};
    static constexpr Stage refs[] = {&Tree::gather,        &Tree::put_in_order, &Tree::prune,           &Tree::put_in_order,
                                     &Tree::sort_siblings, &Tree::find_latest,  &Tree::sort_by_arrival, &Tree::write};
    auto go = [&](std::span<const Stage> stages) {
        for (; stage_ < stages.size(); ++stage_) {
            if (!(this->*stages[stage_])(pace))
                return false;
            at_ = 0;
        }
        return true;
    };
    switch (algorithm_) {
    case ThreadAlgorithm::OrderedSubject:
        return go(ordered_subject);
    case ThreadAlgorithm::References:
        return go(references);
    case ThreadAlgorithm::Refs:
        break;
    }
    return go(refs);
}

}  // namespace imapd::engine
