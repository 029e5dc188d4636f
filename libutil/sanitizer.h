// What differs in builds with sanitizers (make VARIANT=asan, make fuzz), in one place.
//
// The fences that a sanitizer does not bear are left out there: seccomp (it maps shadow memory and
// traces the process when it looks for leaks), the limit of data (shadow memory counts) and
// PR_SET_DUMPABLE 0.  Landlock stands, with /proc readable, and the system's libraries where programs
// are started.
#pragma once

namespace util::sanitizer {

#if defined(__SANITIZE_ADDRESS__)
constexpr bool on = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
constexpr bool on = true;
#else
constexpr bool on = false;
#endif
#else
constexpr bool on = false;
#endif

// The environment variable that names the file of reports.
constexpr const char* reports_variable = "TERN_SANITIZER_REPORTS";

// Reports go to standard error: from here on that is the end of the file of reports, if there is one.
// A daemon calls this when its log is no longer standard error, and before it locks itself in; who
// is started later inherits it.  Does nothing in other builds.
void keep_reports();

}  // namespace util::sanitizer
