#include "gateway/uv/dialer.h"

#include <utility>

#include "gateway/uv/loop.h"
#include "gateway/uv/tcp_stream.h"

namespace sallyport::uv {

using io::Error;

namespace {

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

Task<Result<std::unique_ptr<io::Stream>, Error>> Dialer::dial_unix(std::string path, Time deadline) {
  return finish(TcpStream::connect(loop_, path), deadline);
}

}  // namespace sallyport::uv
