// UnderWay: the questions that some worker's resolver is asking just now, so that the others wait for its answer in
// place of asking the same. One for the process.
//
// Any thread may call at any time. Who waits is told on the thread of who asks, under the lock of the table: to tell is
// to post, and no more. Nobody is told any more once his part has gone.
#pragma once

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

class UnderWay {
 public:
  using Answer = std::shared_ptr<const dns::Answer>;
  using Tell = std::function<void(Answer)>;

  UnderWay();  // the table's hash has a random key
  UnderWay(const UnderWay&) = delete;
  UnderWay& operator=(const UnderWay&) = delete;

  // A resolver's part in a question: to ask it, or to wait. It goes before the table does.
  class Part {
   public:
    Part(Part&& other) noexcept
        : table_(std::exchange(other.table_, nullptr)), question_(std::move(other.question_)), id_(other.id_) {}
    Part& operator=(Part&&) = delete;
    // Who asks and has told nothing has given up: a null answer for those who wait.
    ~Part();

    bool is_to_ask() const { return id_ == asks; }
    // Of who asks, once: the answer for those who wait. The question is under way no more.
    void settle(const Answer& answer) noexcept;

   private:
    friend class UnderWay;
    struct Waiter {
      std::uint64_t id = 0;
      Tell tell;
    };
    using Table = std::unordered_map<dns::Question, std::vector<Waiter>, KeyedHash>;
    static constexpr std::uint64_t asks = 0;

    Part(UnderWay& table, dns::Question question, std::uint64_t id) noexcept
        : table_(&table), question_(std::move(question)), id_(id) {}

    UnderWay* table_;
    dns::Question question_;
    std::uint64_t id_;
  };

  // To ask, unless somebody else is at it; then `tell` will be called, once. An answer that was settled just before the
  // call is not told: who is to ask looks into the cache once more.
  Part take_part(const dns::Question& question, Tell tell);

 private:
  std::mutex mutex_;
  Part::Table asked_;
  std::uint64_t last_id_ = Part::asks;
};

}  // namespace sallyport::resolver
