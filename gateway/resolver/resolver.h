// Resolver: questions in, answers out, over the network. One per worker; the Cache behind it is shared.
//
// A question that is not in the cache is asked once however many want to know: it has a task of its own, with the
// settings' timeout, which goes on when whoever asked first has gone. Each waiter has its own deadline: past it the
// answer is a `timeout` for that waiter alone.
//
// Where several workers have a resolver each, ask_with_others() makes them ask once between them.
//
// A server that fails (SERVFAIL, REFUSED, unreachable, nonsense) is followed by the next at once; silence costs a fifth
// of the timeout, then two fifths, then the rest. The server that answered last is asked first. Failures are kept a
// moment (ResolverSettings::failure_ttl).
//
// A lookup whose deadline has passed asks nobody: its answer is from the cache, or a timeout.
#pragma once

#include <functional>
#include <memory>
#include <unordered_map>

#include "gateway/async/intrusive_list.h"
#include "gateway/async/nursery.h"
#include "gateway/async/scheduler.h"
#include "gateway/async/wait.h"
#include "gateway/io/datagram.h"
#include "gateway/io/dialer.h"
#include "gateway/io/resolver.h"
#include "gateway/resolver/cache.h"
#include "gateway/resolver/entropy.h"
#include "gateway/resolver/exchange.h"
#include "gateway/resolver/keyed_hash.h"
#include "gateway/resolver/recorder.h"
#include "gateway/resolver/settings.h"
#include "gateway/resolver/under_way.h"

namespace sallyport::resolver {

class Resolver final : public io::Resolver {
 public:
  // All but the settings, which are copied, outlive it; whoever awaits a lookup does not.
  Resolver(async::Scheduler& scheduler, io::DatagramDialer& datagrams, io::Dialer& connections, Cache& cache,
           const ResolverSettings& settings, Counters& counters, Log& log);

  // From now on a question that another resolver of `others` is asking is not asked, but waited for. `post` is called
  // on that one's thread, and calls the function it is given on this resolver's thread. `others` outlives this.
  using Post = std::function<void(std::function<void()>)>;
  void ask_with_others(UnderWay& others, Post post);

  // Case and a final dot of the name do not matter. A name that DNS cannot hold (a label over 63 octets) is nxdomain.
  Task<dns::Answer> lookup(dns::Question question, Time deadline) override;

  std::size_t in_flight() const { return in_flight_.size(); }

 private:
  // Somebody who waits for a question; lives in the frame of lookup().
  struct Waiter : async::ListNode {
    explicit Waiter(async::Scheduler& scheduler) : news(scheduler) {}
    async::Signal news;
    std::shared_ptr<const dns::Answer> answer;
  };
  using Waiters = async::ListHead;

  bool wait_for(const dns::Question& question, Waiter& waiter);
  Task<void> answer_waiters(dns::Question question);
  Task<std::shared_ptr<const dns::Answer>> find_with_others(dns::Question question);
  Task<std::shared_ptr<const dns::Answer>> find_and_keep(dns::Question question);
  Task<dns::Answer> find_out(dns::Question question, Time deadline);
  Task<Heard> ask_servers(const dns::Question& question, Time deadline);
  void keep(const dns::Question& question, const dns::Answer& answer);

  async::Scheduler& scheduler_;
  Cache& cache_;
  Recorder recorder_;
  ResolverSettings settings_;
  Entropy entropy_;
  Transport transport_;
  std::size_t first_server_ = 0;
  UnderWay* others_ = nullptr;
  Post post_;
  const std::shared_ptr<const dns::Answer> no_answer_;  // servfail, made in advance for when there is no memory
  std::unordered_map<dns::Question, Waiters, KeyedHash> in_flight_;
  async::Nursery questions_;  // last: its tasks use all the others
};

}  // namespace sallyport::resolver
