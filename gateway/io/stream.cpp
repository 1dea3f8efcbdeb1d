#include "gateway/io/stream.h"

namespace sallyport::io {

Task<Result<Done, Error>> Stream::write_last(std::string_view octets, Time deadline) {
  auto sent = co_await write(octets, deadline);
  close();
  co_return sent;
}

}  // namespace sallyport::io
