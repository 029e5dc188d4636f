// What this process does with memory that it has freed.
//
// The allocator gives large blocks back to the kernel at once and takes new ones for the next
// message: each page is then cleared and mapped again, and in a process with threads each return
// interrupts the other processors.  On a virtual machine that was half of what a message of 100 KB
// cost.
#pragma once

#include <malloc.h>

namespace util {

// Blocks up to this size come from the heap, and so much of it stays when it is free.
constexpr int kept_memory = 1 << 20;

inline void keep_freed_memory()
{
    ::mallopt(M_MMAP_THRESHOLD, kept_memory);
    ::mallopt(M_TRIM_THRESHOLD, kept_memory);
}

// For a process that will have nothing to do for a while.
inline void return_freed_memory() { ::malloc_trim(0); }

}  // namespace util
