// UrlLists: the lists that web servers have, for all workers. It does no network: one who asks web servers takes the
// next question that is due, and gives back the answer (app/list_fetcher.h).
//
// A list is empty until its first copy is there. Each copy that was taken is kept as a file in the state directory too,
// so that a restart begins with it, though the server is away. A server that does not answer, answers with anything but
// 200 or 304, or with a text that is no such list, leaves the list as it was; that is counted (Fault::reload_failed)
// and logged, once until it is well again or fails in another way, and the server is asked again after a tenth of the
// interval, a minute at least and the interval at most. A copy that has not changed (ETag, Last-Modified) is not sent
// again.
//
// A list that nobody uses any more, after a reload, is no longer asked for.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gateway/base/counters.h"
#include "gateway/base/log.h"
#include "gateway/base/result.h"
#include "gateway/base/units.h"
#include "gateway/io/http_client.h"
#include "gateway/io/list_files.h"

namespace sallyport::state {

class UrlLists {
 public:
  class Live;

  // What is asked next, and for which list.
  struct Due {
    std::shared_ptr<Live> list;
    io::HttpQuestion question;
  };

  explicit UrlLists(Counters& counters) : counters_(counters) {}

  // Any thread; not on a loop, as it may read a copy.
  Result<std::shared_ptr<const io::LiveList>> open(const io::ListAddress& address, EntryKind kind);
  // Once, before anything is served: reads the copies of the lists that are open, deletes those of others, and keeps
  // copies there from now on. The failure is about the directory; the lists are then only in memory.
  Result<Done> keep_in(const std::string& folder);

  // The lists whose time has come; each is given once until note().
  std::vector<Due> due(Time now);
  // What came of a question. An empty problem: all is well.
  struct Outcome {
    std::string problem;
    std::string copy_problem;
    std::optional<std::size_t> entries;  // of a new copy
  };
  // Takes what a server has answered: reads the list, and writes the copy. It owns all it needs, so it may run anywhere
  // but on a loop, and longer than this object lives.
  struct Taking {
    std::shared_ptr<Live> list;
    io::HttpAnswer answer;
    std::string file;  // of the copy; empty: none is kept
    Outcome operator()();
    Outcome take();  // part of it
  };
  Taking taking(std::shared_ptr<Live> list, io::HttpAnswer answer) const;
  void note(Live& list, const Outcome& outcome, Time now, Log& log);

  static constexpr std::size_t most_octets = std::size_t{128} << 20;  // of an answer

 private:
  std::vector<std::shared_ptr<Live>> in_use();
  std::string file_of(const Live& list) const;
  void read_copy(Live& list) const;

  Counters& counters_;
  mutable std::mutex mutex_;
  std::string folder_;  // empty: no copies are kept
  std::map<std::pair<std::string, EntryKind>, std::weak_ptr<Live>> lists_;
};

}  // namespace sallyport::state
