// Handle<T, free_fn>: the owner of an object that a C library allocates.
#pragma once

#include <memory>

namespace util {

template <auto free_fn>
struct HandleDeleter {
    template <typename T>
    void operator()(T* object) const
    {
        free_fn(object);
    }
};

template <typename T, auto free_fn>
using Handle = std::unique_ptr<T, HandleDeleter<free_fn>>;

}  // namespace util
