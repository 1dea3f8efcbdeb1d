// Gathering: the half of a policy that may wait.
//
// A Gatherer is what one worker prepares from one set of settings (lists sorted, rules compiled, keys read). It is made
// off the loops and lives as long as the configuration snapshot it was made for. It makes a Gathering for each
// connection, and another for each mail. The Gathering asks questions, sees the body's octets, and holds what must be
// remembered between two stages; its only result is facts, which outlive it.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <typeindex>
#include <utility>
#include <vector>

#include "gateway/async/scheduler.h"
#include "gateway/async/task.h"
#include "gateway/base/counters.h"
#include "gateway/base/log.h"
#include "gateway/base/public_suffix.h"
#include "gateway/io/rate_store.h"
#include "gateway/io/resolver.h"
#include "gateway/signature/body_hash.h"
#include "policies/api/facts.h"
#include "policies/api/stage.h"
#include "policies/api/transaction.h"

namespace sallyport::policies {

class MailSealer;

// What the policies of one worker have learned and keep across reloads (a list's health, public keys), by type and
// name.
class Learned {
 public:
  // Gives the object of this type and name; creates it at the first call. Valid as long as the worker lives.
  template <class T>
  T& of(std::string_view name = {}) {
    auto& kept = kept_[{std::type_index(typeid(T)), std::string(name)}];
    if (!kept) kept = std::make_shared<T>();
    return *static_cast<T*>(kept.get());
  }

 private:
  std::map<std::pair<std::type_index, std::string>, std::shared_ptr<void>> kept_;
};

// Our own names, for checks that compare a client's claims with them.
struct OwnNames {
  std::string hostname;
  // True if mail for the domain is served here. Domains that only match a pattern such as "*.example.com" do not count.
  std::function<bool(std::string_view domain)> serves;
};

// What a Gatherer is made from, besides its settings. All of it must outlive the gatherer.
struct GathererParts {
  Learned& learned;
  io::RateStore& rates;
  const PublicSuffixList& suffixes;
  const OwnNames& own;
  // The tenant whose own the settings are; empty where they are everybody's. Only for prepare() itself to read.
  std::string_view tenant = {};
  // The names of all policies; none: not known, as in tests. Only for prepare() itself to read.
  std::span<const std::string_view> checks = {};
  // The names of the upstreams that mail may be redirected to; null: not known, as in tests. Only for prepare() itself
  // to read.
  const std::vector<std::string>* upstreams = nullptr;
};

// What gather() may use.
struct GatherContext {
  async::Scheduler& scheduler;
  io::Resolver& resolver;  // counts questions against the mail's budget
  Counters& counters;
  Log& log;
  Time deadline;  // of the whole stage
  // Hashes of the body as it will be sent, one for each form that a gathering of the mail has asked for. Filled from
  // stage message on.
  const std::vector<signature::BodyHash>& body_hashes;
  // Processor time that verifying the mail's signatures has taken so far, counted by verifying_time.h. Null: each
  // policy counts for itself.
  Duration* verifying = nullptr;
  // Processor time that the mail's rules have taken so far. Null: the rules count for themselves.
  Duration* running_rules = nullptr;
  // The sum of the scores that earlier stages have given.
  double score = 0;
  // At stage done: what became of the mail, in the words of the log ("relay", "reject"). Before that empty.
  std::string_view outcome = {};
  // At whose expense the loop's time is taken.
  async::Payer payer = 0;
};

// What the client hears about a recipient that is refused.
struct RefusedRecipient {
  std::string_view by;  // who refuses: a policy's name, "upstream" or the name of an incident
  std::string dsn;      // "5.1.1"; may be empty
  std::string text;     // in one line, without codes
};

// The phases of gathering within a stage. Gatherings of one phase run at the same time, after those of the lower phases
// have ended; so a policy that reads the facts of others belongs to a later phase.
//
// What goes on in phase `outside`, after all others, has a time of its own (GatherContext::deadline), because others
// than DNS are waited for: filters which look at the whole mail.
enum class GatherPhase : std::uint8_t { first, on_identifiers, on_everything, outside };

class Gathering {
 public:
  virtual ~Gathering() = default;

  // Finds out what `stage` offers and puts it into `facts`, as the policy's own type only. It builds the facts aside
  // and puts them once. What cannot be found out is recorded as such, never as clean, and raises no exception. The task
  // may be destroyed while it waits. Called once for each stage; at rcpt once for each recipient, and the facts about
  // an earlier recipient are then replaced. For a tenant with other settings it may be called with facts that another
  // gathering of the same policy has put for all tenants; what these contain is not asked again.
  virtual Task<void> gather(Stage stage, const Transaction& mail, Facts& facts, const GatherContext& context) = 0;

  // Called after each gather() of stage rcpt, when it is known whether the recipient was accepted, by all checks and by
  // the upstream. Not called when the mail ends before that.
  virtual void recipient_answered(bool /*accepted*/) {}

  // True where recipient_refused() has something to do.
  virtual bool hears_of_refused_recipients() const { return false; }
  // Called for a recipient (`mail.rcpt`) that somebody else than this policy refuses, before the client hears it, and
  // before recipient_answered() where gather() was called for it. Nothing follows from it for that recipient.
  virtual Task<void> recipient_refused(const Transaction& /*mail*/, const RefusedRecipient& /*refused*/,
                                       const GatherContext& /*context*/) {
    co_return;
  }

  // Called once for each mail, when its header section is complete: the digests of the body that gather() will need at
  // stage message. Equal forms of several gatherings are hashed once.
  virtual std::vector<signature::BodyForm> body_forms(const Transaction&) { return {}; }
  // Called at the same time: true if body() is to be called.
  virtual bool wants_body(const Transaction&) { return false; }
  // Called with the next octets of the body as they will be sent upstream. It must not wait, and may take no more than
  // a few microseconds per KiB.
  virtual void body(std::string_view) {}

  // Called once for a mail whose message has been judged and will not be looked at again: what is kept only so that
  // others need not find it anew may be freed now, and not when the mail ends, after the server behind has answered.
  virtual void content_judged() {}
};

class Gatherer {
 public:
  virtual ~Gatherer() = default;

  // True if there is something to find out at this stage.
  virtual bool gathers_at(Stage stage) const = 0;
  // True if the client must wait for its greeting until stage connect has been gathered, because the check may refuse
  // the connection. Otherwise the gathering runs beside the dialogue, and MAIL waits for it.
  virtual bool precedes_greeting() const { return false; }
  // Makes the gathering for one connection (stages connect, helo) or one mail (mail to message). The gatherer outlives
  // it and keeps nothing of either.
  virtual std::unique_ptr<Gathering> begin() const = 0;
  // Makes the gathering for one mail. `of_connection` is the one that this gatherer has made for the mail's connection,
  // which outlives it; null: there is none, as for the settings of a tenant or those that a reload has brought.
  virtual std::unique_ptr<Gathering> begin_mail(Gathering* /*of_connection*/) const { return begin(); }

  // Tests what the policy relies on, independently of any mail (a list's test points). The worker runs it at the start
  // and every five minutes, with a deadline of its own. The default does nothing.
  virtual Task<void> self_test(GatherContext context) const;

  // The sealer for mail that the gateway changes; null when this policy has none.
  virtual const MailSealer* sealer() const { return nullptr; }
};

}  // namespace sallyport::policies
