// Engine: the TLS protocol of one connection, without I/O: octets in, octets out; it never waits.
//
// The caller passes in ciphertext as it arrives and sends what take_output() gives. The result does not depend on how
// the ciphertext is cut into pieces. After `failed` the connection must be closed, but take_output() may still hold an
// alert to send.
//
// What a peer can cost is bounded: 64 KiB of ciphertext for the handshake (threats.md T4); the third renegotiation
// request and key updates out of proportion to the octets received are failures (T2).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "gateway/tls/context.h"
#include "gateway/tls/info.h"
#include "gateway/tls/wire.h"

struct ssl_st;

namespace sallyport::tls {

class Engine {
 public:
  enum class Status : std::uint8_t {
    done,        // the step is complete
    want_input,  // all ciphertext is consumed and more is needed
    ended,       // the peer has sent close_notify: nothing more will come
    failed,      // see failure()
  };

  // Use the contexts' make_engine().
  explicit Engine(const std::shared_ptr<const ServerContext>& context);
  Engine(const std::shared_ptr<const ClientContext>& context, std::string server);
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  ~Engine();

  // Does the next step of the handshake. Like read(), it removes what it uses from the front of `ciphertext`; what
  // follows the handshake stays.
  Status handshake(std::string_view& ciphertext);
  struct Read {
    Status status;
    std::size_t octets;  // decrypted into the caller's buffer; not 0 when the status is `done`
  };
  // Decrypts at most one record: call it again until it returns want_input.
  Read read(std::string_view& ciphertext, std::span<char> into);
  // True if read() can give octets without new ciphertext.
  bool has_decrypted() const;
  // True if part of a record has been consumed; read() needs the rest before it can give anything.
  bool has_part_of_record() const;

  // Encrypts all of `plain` into the output: done or failed.
  Status write(std::string_view plain);
  // Adds close_notify to the output, once, if the handshake is complete and nothing has failed.
  void shutdown();

  // The ciphertext to send. take_output() also gives the memory away.
  std::size_t output_octets() const { return wire_.output.size(); }
  std::string take_output();
  // True if the output need not be sent at once: the handshake is complete and the client does not wait for it (a
  // server's TLS 1.3 session tickets).
  bool output_may_wait() const;

  bool is_established() const { return established_; }
  bool has_failed() const { return failed_; }
  bool has_ended() const { return ended_; }
  // Complete once is_established().
  const Info& info() const { return info_; }
  // Why it failed: a fixed text that contains nothing from the peer.
  std::string_view failure() const { return failure_; }
  // True if it failed because peer and we have no protocol version, cipher, group or signature in common (threats.md
  // T1).
  bool was_refused() const { return refused_; }

 private:
  struct FreeSsl {
    void operator()(ssl_st* ssl) const noexcept;
  };

  void connect_to_ssl();
  static void note_message(int is_sent, int version, int type, const void* octets, std::size_t count, ssl_st* ssl,
                           void* engine);
  void set_server(const ClientContext& context);
  void note_established();
  Status outcome(int result);
  Status fail(std::string_view why);

  std::shared_ptr<const void> context_;  // keeps the context alive
  std::string server_;                   // for a client: the key for storing the session
  Wire wire_;
  std::unique_ptr<ssl_st, FreeSsl> ssl_;
  Info info_;
  std::string_view failure_;
  std::uint64_t key_updates_ = 0;
  unsigned renegotiations_ = 0;
  bool established_ = false;
  bool ended_ = false;
  bool failed_ = false;
  bool refused_ = false;
  bool said_close_ = false;
};

}  // namespace sallyport::tls
