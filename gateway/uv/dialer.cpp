#include "gateway/uv/dialer.h"

#include <algorithm>
#include <utility>

#include "gateway/uv/errors.h"
#include "gateway/uv/loop.h"
#include "gateway/uv/tcp_stream.h"

namespace sallyport::uv {

using io::Error;

namespace {

// A system call in the helper takes microseconds; whoever waits longer waits for a process that has been stopped.
constexpr Duration helper_patience = std::chrono::seconds(2);

Task<Result<std::unique_ptr<io::Stream>, Error>> finish(std::unique_ptr<TcpStream> stream, Time deadline) {
  auto connected = co_await stream->connected(deadline);
  if (!connected) co_return connected.error();
  co_return std::unique_ptr<io::Stream>(std::move(stream));
}

}  // namespace

Task<Result<std::unique_ptr<io::Stream>, Error>> Dialer::dial(SocketAddress to, Time deadline) {
  auto stream = TcpStream::connect(loop_, to);
  if (!stream) co_return stream.error();
  co_return co_await finish(std::move(*stream), deadline);
}

Task<Result<std::unique_ptr<io::Stream>, Error>> Dialer::dial_from(IpAddress from, SocketAddress to, Time deadline) {
  if (!transparent_) co_return Error::no_helper;
  const auto family = from.is_v4() ? IpFamily::v4 : IpFamily::v6;
  auto socket = co_await transparent_->take(family, std::min(deadline, loop_.scheduler().now() + helper_patience));
  if (!socket) co_return socket.error();
  if (const int error = bind_to_client(*socket, from); error != 0) co_return error_of(-error);
  auto stream = TcpStream::connect(loop_, std::move(*socket), to);
  if (!stream) co_return stream.error();
  co_return co_await finish(std::move(*stream), deadline);
}

Task<Result<std::unique_ptr<io::Stream>, Error>> Dialer::dial_unix(std::string path, Time deadline) {
  auto stream = TcpStream::connect(loop_, path);
  if (!stream) co_return stream.error();
  co_return co_await finish(std::move(*stream), deadline);
}

}  // namespace sallyport::uv
