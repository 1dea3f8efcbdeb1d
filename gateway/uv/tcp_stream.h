// TcpStream: io::Stream over a TCP or unix-domain socket. All calls on the loop's thread.
//
// A write sends at once what the socket takes; only the rest is registered with the loop and waited for. If a write
// times out, or its coroutine is destroyed while it waits, the connection is reset: only part of the data was sent, and
// its buffer is about to be freed. In the middle of a large message input() may be longer than io::block_octets (up to
// 64 KiB), for fewer system calls. close() and the destructor let the peer read our last reply; see stream_handle.h.
#pragma once

#include <memory>
#include <string>

#include "gateway/base/address.h"
#include "gateway/io/stream.h"
#include "gateway/uv/descriptor.h"

namespace sallyport::uv {

class Loop;
class StreamHandle;

class TcpStream final : public io::Stream {
 public:
  // Takes over a connected socket; on failure it is closed.
  static Result<std::unique_ptr<TcpStream>, io::Error> adopt_tcp(Loop& loop, Descriptor socket);
  static Result<std::unique_ptr<TcpStream>, io::Error> adopt_unix(Loop& loop, Descriptor socket);
  // Starts to connect. Nothing but connected() may be called until that has succeeded.
  static Result<std::unique_ptr<TcpStream>, io::Error> connect(Loop& loop, SocketAddress to);
  static Result<std::unique_ptr<TcpStream>, io::Error> connect(Loop& loop, const std::string& path);
  // The same by a TCP socket that has been made, and bound, before; on failure it is closed.
  static Result<std::unique_ptr<TcpStream>, io::Error> connect(Loop& loop, Descriptor socket, SocketAddress to);
  Task<Result<Done, io::Error>> connected(Time deadline);

  TcpStream(const TcpStream&) = delete;
  TcpStream& operator=(const TcpStream&) = delete;
  ~TcpStream() override;

  std::string_view input() const override;
  void consume(std::size_t octets) override;
  Task<Result<Done, io::Error>> fill(Time deadline) override;
  Task<Result<Done, io::Error>> write(std::string_view octets, Time deadline) override;
  Task<Result<Done, io::Error>> write_parts(std::span<const std::string_view> parts, Time deadline) override;
  bool has_undelivered() const override;
  bool is_open() const override;
  bool is_broken() const override;
  bool peer_has_ended() const override;
  std::optional<Ends> ends() const override;
  void close() override;
  void abort() override;

 private:
  enum class Family { ip, unix_domain };
  TcpStream(Loop& loop, Family family);
  static Result<std::unique_ptr<TcpStream>, io::Error> adopt(Loop& loop, Family family, Descriptor socket);

  StreamHandle& handle_;
};

}  // namespace sallyport::uv
