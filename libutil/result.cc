// Errors as values: texts and kinds of system errors, and panic().
#include "libutil/result.h"

#include "libutil/log.h"
#include "libutil/text.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace util {

std::string_view name_of(Kind kind)
{
    switch (kind) {
    case Kind::Invalid:
        return "invalid";
    case Kind::NotFound:
        return "not found";
    case Kind::Temporary:
        return "temporary";
    case Kind::Permanent:
        return "permanent";
    }
    return "unknown";
}

Error Error::in(std::string_view where) &&
{
    text = concat(where, ": ", text);
    return std::move(*this);
}

Error system_error(std::string_view what, int code)
{
    Kind kind = Kind::Temporary;
    switch (code) {
    case ENOENT:
        kind = Kind::NotFound;
        break;
    case EACCES:
    case EPERM:
    case EROFS:
    case ENAMETOOLONG:
    case ELOOP:
    case ENOTDIR:
    case EISDIR:
    case EINVAL:
        kind = Kind::Permanent;
        break;
    default:
        break;
    }
    return {kind, concat(what, ": ", strerrordesc_np(code) ? strerrordesc_np(code) : "error"), code};
}

void panic(const char* expression, const char* file, int line)
{
    log::write(log::Level::Panic, concat(file, ":", line, ": broken invariant: ", expression));
    std::abort();
}

}  // namespace util
