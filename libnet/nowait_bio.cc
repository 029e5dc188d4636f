// OpenSSL's way to a socket, with MSG_DONTWAIT.
#include "libnet/nowait_bio.h"

#include "libutil/check.h"

#include <cerrno>
#include <memory>
#include <sys/socket.h>

namespace net {

namespace {

int socket_of(BIO* bio) { return static_cast<util::UniqueFd*>(BIO_get_data(bio))->get(); }

bool may_be_later(int error) { return error == EAGAIN || error == EINTR; }

int write_nowait(BIO* bio, const char* bytes, std::size_t size, std::size_t* written)
{
    BIO_clear_retry_flags(bio);
    auto count = ::send(socket_of(bio), bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count < 0 && may_be_later(errno))
        BIO_set_retry_write(bio);
    *written = count > 0 ? std::size_t(count) : 0;
    return count > 0;
}

int read_nowait(BIO* bio, char* bytes, std::size_t size, std::size_t* got)
{
    BIO_clear_retry_flags(bio);
    auto count = ::recv(socket_of(bio), bytes, size, MSG_DONTWAIT);
    if (count < 0 && may_be_later(errno))
        BIO_set_retry_read(bio);
    if (count == 0)
        BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
    *got = count > 0 ? std::size_t(count) : 0;
    return count > 0;
}

long control(BIO* bio, int what, long, void*)
{
    if (what == BIO_CTRL_EOF)
        return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0;
    return what == BIO_CTRL_FLUSH;
}

struct FreeMethod {
    void operator()(BIO_METHOD* method) const { BIO_meth_free(method); }
};
using Method = std::unique_ptr<BIO_METHOD, FreeMethod>;

Method make_method()
{
    Method method(BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket, without waiting"));
    CHECK(method && BIO_meth_set_write_ex(method.get(), write_nowait) && BIO_meth_set_read_ex(method.get(), read_nowait) &&
          BIO_meth_set_ctrl(method.get(), control));
    return method;
}

}  // namespace

BIO* new_nowait_bio(util::UniqueFd& socket)
{
    static const Method method = make_method();
    BIO* bio = BIO_new(method.get());
    if (!bio)
        return nullptr;
    BIO_set_data(bio, &socket);
    BIO_set_init(bio, 1);
    return bio;
}

}  // namespace net
