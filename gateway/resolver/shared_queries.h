// SharedQueries: the questions that some worker's resolver is asking at the moment, so that the resolvers of other
// workers wait for that answer instead of asking the same. One per process.
//
// Any thread may call at any time. `tell` runs on the asking resolver's thread, under the table's lock; it may only
// post to the loop of the waiting resolver. It is not called after its Part has been destroyed.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

#include "gateway/dns/answer.h"
#include "gateway/resolver/keyed_hash.h"

namespace sallyport::resolver {

class SharedQueries {
 public:
  using Answer = std::shared_ptr<const dns::Answer>;
  // Whose news an answer is (resolver.h), when nobody waits for it any more where it was asked: the first of the other
  // resolvers that sets the flag has it. Null: it was somebody's there.
  using News = std::shared_ptr<std::atomic_flag>;
  using Tell = std::function<void(Answer, News)>;

  SharedQueries();  // the table's hash has a random key
  SharedQueries(const SharedQueries&) = delete;
  SharedQueries& operator=(const SharedQueries&) = delete;

  // One resolver's role for one question: to ask it, or to wait for the answer. It must be destroyed before the table.
  class Part {
   public:
    Part(Part&& other) noexcept
        : table_(std::exchange(other.table_, nullptr)), question_(std::move(other.question_)), id_(other.id_) {}
    Part& operator=(Part&&) = delete;
    // If this part was to ask and settle() was not called, the waiters get a null answer.
    ~Part();

    bool is_to_ask() const { return id_ == asks; }
    // The asking resolver calls it once: gives the answer to all waiters and removes the question from the table.
    void settle(const Answer& answer, const News& news) noexcept;

   private:
    friend class SharedQueries;
    struct Waiter {
      std::uint64_t id = 0;
      Tell tell;
    };
    using Table = std::unordered_map<dns::Question, std::vector<Waiter>, KeyedHash>;
    static constexpr std::uint64_t asks = 0;

    Part(SharedQueries& table, dns::Question question, std::uint64_t id) noexcept
        : table_(&table), question_(std::move(question)), id_(id) {}

    SharedQueries* table_;
    dns::Question question_;
    std::uint64_t id_;
  };

  // Gives the role "ask" unless another resolver is asking; otherwise "wait", and `tell` will be called once. An answer
  // that was settled just before this call is in the cache, so a resolver that is to ask must search the cache again.
  Part take_part(const dns::Question& question, Tell tell);

 private:
  std::mutex mutex_;
  Part::Table asked_;
  std::uint64_t last_id_ = Part::asks;
};

}  // namespace sallyport::resolver
