// Resolver: io::Resolver over the network. One per worker; the Cache behind it is shared.
//
// A question that is not in the cache is sent once, however many lookups wait for it. It runs in a task of its own,
// with the timeout of the settings, and continues when the lookup that started it has ended. Each lookup has its own
// deadline; when that passes, only this lookup gives `timeout`.
//
// One of those lookups has the answer as news: it pays for the question, and learns from it about who was asked. That
// is the first that still waits when the answer comes, or the first whose own deadline passes before that (which is no
// news any more when the question fails as well). All others have theirs marked as from the cache. So are answers for
// which nobody was asked: the name is none, or too many questions are under way.
//
// With ask_with_others() the resolvers of several workers send a question only once among them, and one lookup of one
// worker has the news.
//
// A question that ends with an exception (out of memory) ends the lookups that wait for it with the same one: that is
// our own shortage, and no answer.
//
// If a server fails (SERVFAIL, REFUSED, unreachable, unusable answer), the next is asked at once. If it is silent, the
// next is asked after one fifth of the timeout, then after two fifths, then after the rest. The server that answered
// last is asked first next time. Failures are cached briefly (ResolverSettings::failure_ttl).
//
// If there is no socket for a question (open files, ports, memory: a shortage of ours), the next server is tried; with
// no answer from any the result is `servfail`, as news for nobody, recorded as Fault::resource and not cached.
//
// A lookup whose deadline has already passed sends nothing: it answers from the cache or with `timeout`.
#pragma once

#include <exception>
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
#include "gateway/resolver/shared_queries.h"

namespace sallyport::resolver {

class Resolver final : public io::Resolver {
 public:
  // All arguments except the settings, which are copied, must outlive the resolver. The resolver must outlive all
  // coroutines that await lookup().
  Resolver(async::Scheduler& scheduler, io::DatagramDialer& datagrams, io::Dialer& connections, Cache& cache,
           const ResolverSettings& settings, Counters& counters, Log& log);

  // `timings`, which outlives the resolver, gets how long questions take.
  void measure_with(Timings& timings) { recorder_.measure_with(timings); }
  // From now on, if another resolver of `others` is asking a question, this resolver waits for its answer instead of
  // asking. The other resolver's thread calls `post`, which must run its argument on this resolver's thread. `others`
  // must outlive this.
  using Post = std::function<void(std::function<void()>)>;
  void ask_with_others(SharedQueries& others, Post post);

  // The name's case and a final dot do not matter. A name that DNS cannot hold (such as a label over 63 octets) gives
  // nxdomain.
  Task<dns::Answer> lookup(dns::Question question, Time deadline) override;

  std::size_t in_flight() const { return in_flight_.size(); }

 private:
  // One lookup that waits for a question; it lives in the frame of lookup().
  struct Waiter : async::ListNode {
    explicit Waiter(async::Scheduler& scheduler) : news(scheduler) {}
    async::Signal news;
    std::shared_ptr<const dns::Answer> answer;
    std::exception_ptr mistake;
    bool is_news = false;
  };
  // A question under way.
  struct InFlight {
    async::ListHead waiters;
    bool is_news = false;          // the servers are asked for this resolver's lookups, and none for want of a socket
    bool is_told_as_late = false;  // a lookup has ended meanwhile, with `timeout` as its news
  };

  // False when the limit on questions in flight is reached; the question is not asked then.
  bool wait_for(const dns::Question& question, Waiter& waiter);
  dns::Answer late_answer(const dns::Question& question);
  Task<void> answer_waiters(dns::Question question);
  Task<std::shared_ptr<const dns::Answer>> find_with_others(dns::Question question);
  Task<std::shared_ptr<const dns::Answer>> find_and_keep(dns::Question question);
  Task<dns::Answer> find_out(dns::Question question, Time deadline, InFlight& asked);
  Task<Heard> ask_servers(const dns::Question& question, Time deadline, InFlight& asked);
  void keep(const dns::Question& question, const dns::Answer& answer);

  async::Scheduler& scheduler_;
  Cache& cache_;
  Recorder recorder_;
  ResolverSettings settings_;
  Entropy entropy_;
  Transport transport_;
  std::size_t first_server_ = 0;
  SharedQueries* others_ = nullptr;
  Post post_;
  std::unordered_map<dns::Question, InFlight, KeyedHash> in_flight_;
  async::Nursery questions_;  // last member: its tasks use all the others
};

}  // namespace sallyport::resolver
