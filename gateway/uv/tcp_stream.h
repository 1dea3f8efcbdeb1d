// TcpStream: an io::Stream over a socket: TCP, or a unix-domain connection to a service on this host.
//
// A write goes out at once as far as the socket takes it; only the rest is registered and waited for. A write that
// times out or is given up while it waits resets the connection: half of something was sent, and its buffer is about to
// go away. In the middle of a large message input() may be longer than io::block_octets (up to 64 KiB), for fewer
// system calls. close() and destruction let the peer read our last words; see stream_handle.h.
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
  // Takes over a connected socket.
  static Result<std::unique_ptr<TcpStream>, io::Error> adopt_tcp(Loop& loop, Descriptor socket);
  static Result<std::unique_ptr<TcpStream>, io::Error> adopt_unix(Loop& loop, Descriptor socket);
  // Starts to connect; nothing else may be called before connected() was successful.
  static Result<std::unique_ptr<TcpStream>, io::Error> connect(Loop& loop, SocketAddress to);
  static std::unique_ptr<TcpStream> connect(Loop& loop, const std::string& path);
  Task<Result<Done, io::Error>> connected(Time deadline);

  TcpStream(const TcpStream&) = delete;
  TcpStream& operator=(const TcpStream&) = delete;
  ~TcpStream() override;

  std::string_view input() const override;
  void consume(std::size_t octets) override;
  Task<Result<Done, io::Error>> fill(Time deadline) override;
  Task<Result<Done, io::Error>> write(std::string_view octets, Time deadline) override;
  Task<Result<Done, io::Error>> write_parts(std::span<const std::string_view> parts, Time deadline) override;
  bool is_open() const override;
  void close() override;
  void abort() override;

 private:
  enum class Family { ip, unix_domain };
  TcpStream(Loop& loop, Family family);
  static Result<std::unique_ptr<TcpStream>, io::Error> adopt(Loop& loop, Family family, Descriptor socket);

  StreamHandle& handle_;
};

}  // namespace sallyport::uv
