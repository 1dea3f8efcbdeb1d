// Engine: one TLS connection's protocol, without the connection. Octets in, octets out; it never waits and touches no
// socket.
//
// The caller hands in ciphertext as it arrives and sends what take_output() gives. Pieces of any size have the same
// effect. After `failed` the connection is of no more use, but an alert may wait to be sent.
//
// What a peer may cost is bounded: 64 KiB of ciphertext for the handshake (threats.md T4), two renegotiations refused
// in peace and the connection ended at the third, key updates in proportion to the octets that travelled (T2).
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
struct ssl_ctx_st;

namespace sallyport::tls {

class Engine {
 public:
  enum class Status : std::uint8_t {
    done,        // the step is complete
    want_input,  // all ciphertext is used up and more is needed
    ended,       // the peer has said close_notify: nothing more will come
    failed,      // see failure()
  };

  // Made by the contexts' make_engine().
  explicit Engine(const std::shared_ptr<const ServerContext>& context);
  Engine(const std::shared_ptr<const ClientContext>& context, std::string server);
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  ~Engine();

  // The next step of the handshake. Like read(), it takes what it uses from the front of `ciphertext`, and it leaves
  // what lies behind the handshake.
  Status handshake(std::string_view& ciphertext);
  struct Read {
    Status status;
    std::size_t octets;  // decrypted into the caller's buffer; not 0 when the status is `done`
  };
  // What was decrypted of at most one record: call it again until it wants input.
  Read read(std::string_view& ciphertext, std::span<char> into);
  // True when read() would give octets without new ciphertext.
  bool has_decrypted() const;
  // True when ciphertext has been taken of which read() makes nothing before more comes.
  bool has_part_of_record() const;

  // Adds records with all of `plain` to the output: done or failed.
  Status write(std::string_view plain);
  // Adds close_notify, once, if the handshake is complete and nothing has failed.
  void shutdown();

  // The ciphertext to send. Taking it leaves no memory behind.
  std::size_t output_octets() const { return wire_.output.size(); }
  std::string take_output();
  // The handshake is done, and what is to be sent nobody waits for: a server's session tickets of TLS 1.3.
  bool output_may_wait() const;

  bool is_established() const { return established_; }
  bool has_failed() const { return failed_; }
  bool has_ended() const { return ended_; }
  // Complete once is_established().
  const Info& info() const { return info_; }
  // Why it failed, in fixed words that hold nothing of the peer's.
  std::string_view failure() const { return failure_; }
  // It failed because the peer speaks nothing that we accept (threats.md T1).
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

  std::shared_ptr<const void> context_;  // keeps alive what the connection was made from
  std::string server_;                   // for a client: whose session it is
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
