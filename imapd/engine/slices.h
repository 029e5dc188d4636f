// Work upon very many messages in slices: how a task knows that its time is over, and sorting that can pause.
#pragma once

#include "libutil/time.h"

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace imapd::engine {

// So many small pieces of work are done before the clock is looked at: so one slice does at least, and what does not end
// in so many is seen to pause.
constexpr std::size_t pace_interval = 256;

// With more messages a command works in slices.
constexpr std::size_t max_at_once = 1000;

class Pace {
public:
    explicit Pace(util::Instant until) : until_(until) {}

    // Asked after each small piece of work, or after some; one takes a microsecond at most.  Is the slice over?
    bool over(std::size_t pieces = 1)
    {
        if ((pieces_ += pieces) < pace_interval)
            return false;
        pieces_ = 0;
        return util::now() >= until_;
    }

private:
    util::Instant until_;
    std::size_t pieces_ = 0;
};

// Sorts small values; not stable, so `before` has to tell any two apart.  Short runs are sorted at once, and merged.
template <typename T>
class SlicedSort {
public:
    void begin(std::vector<T> values)
    {
        values_ = std::move(values);
        merged_.clear();
        width_ = at_ = 0;
    }
    // True when all is sorted.
    template <typename Before>
    bool step(Pace& pace, const Before& before)
    {
        if (width_ == 0) {
            while (at_ < values_.size()) {
                auto begin = std::exchange(at_, std::min(at_ + run_length, values_.size()));
                std::sort(place(begin), place(at_), before);
                if (pace.over(at_ - begin))
                    return false;
            }
            start_pass(run_length);
        }
        while (width_ < values_.size()) {
            if (!merge(pace, before))
                return false;
            values_.swap(merged_);
            start_pass(width_ * 2);
        }
        return true;
    }
    std::vector<T> take()
    {
        merged_ = {};
        return std::move(values_);
    }

private:
    static constexpr std::size_t run_length = pace_interval;

    auto place(std::size_t index) { return values_.begin() + std::ptrdiff_t(index); }
    void start_pass(std::size_t width)
    {
        width_ = width;
        if (width_ >= values_.size())
            return;
        merged_.clear();
        merged_.reserve(values_.size());
        start_pair(0);
    }
    void start_pair(std::size_t begin)
    {
        left_ = begin;
        middle_ = right_ = std::min(begin + width_, values_.size());
        end_ = std::min(begin + 2 * width_, values_.size());
    }
    // One pass: each two runs of width_ become one.
    template <typename Before>
    bool merge(Pace& pace, const Before& before)
    {
        while (merged_.size() < values_.size()) {
            if (left_ == middle_ && right_ == end_)
                start_pair(end_);
            bool from_right = left_ == middle_ || (right_ < end_ && before(values_[right_], values_[left_]));
            merged_.push_back(values_[from_right ? right_++ : left_++]);
            if (pace.over())
                return false;
        }
        return true;
    }

    std::vector<T> values_;
    std::vector<T> merged_;      // what this pass has made so far
    std::size_t width_ = 0;      // of the runs that are merged; 0: they are being made
    std::size_t at_ = 0;         // where the next of these begins
    std::size_t left_ = 0;       // the two runs that are merged
    std::size_t middle_ = 0;
    std::size_t right_ = 0;
    std::size_t end_ = 0;
};

}  // namespace imapd::engine
