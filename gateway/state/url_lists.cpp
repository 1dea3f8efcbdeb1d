#include "gateway/state/url_lists.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "gateway/base/descriptor.h"
#include "gateway/base/directory.h"
#include "gateway/base/heap.h"
#include "gateway/base/sip_hash.h"
#include "gateway/base/text.h"

namespace sallyport::state {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view copy_suffix = ".list";
// The lines at the begin of a copy, comments to the list itself.
constexpr std::string_view etag_line = "# etag: ";
constexpr std::string_view modified_line = "# last-modified: ";
constexpr std::size_t longest_validator = 500;
constexpr std::size_t long_text = std::size_t{1} << 20;

// As the log shows it: a query may have a key that the operator has for the server.
std::string shown(std::string_view url) { return std::string(url.substr(0, url.find_first_of("?#"))); }

// What a server says of its copy, as far as it can be said back.
std::string validator(const io::HttpAnswer& answer, std::string_view name) {
  for (const auto& [one, value] : answer.headers) {
    if (one != name) continue;
    const bool is_good =
        value.size() <= longest_validator && std::none_of(value.begin(), value.end(), text::is_control);
    return is_good ? value : std::string();
  }
  return {};
}

Result<Done> write_all(int file, std::string_view octets) {
  while (!octets.empty()) {
    const ssize_t written = ::write(file, octets.data(), octets.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return Failure{std::strerror(errno)};
    octets.remove_prefix(static_cast<std::size_t>(written));
  }
  return Done{};
}

// The new file replaces the old one as a whole; a process that ends meanwhile leaves the old one.
Result<Done> replace_file(const std::string& path, std::string_view head, std::string_view octets) {
  const std::string aside = path + ".new-" + std::to_string(::getpid());
  ::unlink(aside.c_str());
  const Descriptor file(::open(aside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (file.get() < 0) return Failure{aside + ": " + std::strerror(errno)};
  auto written = write_all(file.get(), head);
  if (written) written = write_all(file.get(), octets);
  if (written && ::fsync(file.get()) == 0 && ::rename(aside.c_str(), path.c_str()) == 0) return Done{};
  const std::string why = written ? std::strerror(errno) : written.error().message;
  ::unlink(aside.c_str());
  return Failure{path + ": " + why};
}

}  // namespace

class UrlLists::Live final : public io::LiveList {
 public:
  Live(io::ListAddress address, std::shared_ptr<const EntryList> empty)
      : kind(empty->kind()), address_(std::move(address)), list_(std::move(empty)) {}

  std::shared_ptr<const EntryList> now() const override {
    const std::lock_guard lock(mutex_);
    return list_;
  }
  bool is_there() const override {
    const std::lock_guard lock(mutex_);
    return is_there_;
  }

  io::ListAddress address() const {
    const std::lock_guard lock(mutex_);
    return address_;
  }
  void set_address(const io::ListAddress& address) {
    const std::lock_guard lock(mutex_);
    address_ = address;
  }
  void set(std::shared_ptr<const EntryList> list, std::string etag, std::string modified) {
    const std::lock_guard lock(mutex_);
    list_.swap(list);  // the old one goes after the lock
    is_there_ = true;
    etag_ = std::move(etag);
    modified_ = std::move(modified);
  }

  // The question, when it is time for one.
  std::optional<io::HttpQuestion> ask(Time now) {
    const std::lock_guard lock(mutex_);
    if (is_asked_ || now < next_) return std::nullopt;
    is_asked_ = true;
    io::HttpQuestion question;
    question.url = address_.url;
    question.hosts = address_.hosts;
    question.ca_file = address_.ca_file;
    question.most_octets = most_octets;
    if (is_there_ && !etag_.empty()) question.headers.emplace_back("If-None-Match", etag_);
    if (is_there_ && !modified_.empty()) question.headers.emplace_back("If-Modified-Since", modified_);
    return question;
  }
  // True if it is another problem than the last time.
  bool answered(const std::string& problem, Time now) {
    const std::lock_guard lock(mutex_);
    const Duration until_next =
        problem.empty()
            ? address_.refresh
            : std::min(std::max<Duration>(address_.refresh / 10, std::chrono::minutes(1)), address_.refresh);
    next_ = now + until_next;
    is_asked_ = false;
    const bool is_news = problem_ != problem;
    problem_ = problem;
    return is_news;
  }

  const EntryKind kind;

 private:
  mutable std::mutex mutex_;
  io::ListAddress address_;
  std::shared_ptr<const EntryList> list_;
  bool is_there_ = false;
  std::string etag_;
  std::string modified_;
  Time next_ = Time::min();
  bool is_asked_ = false;
  std::string problem_;
};

Result<std::shared_ptr<const io::LiveList>> UrlLists::open(const io::ListAddress& address, EntryKind kind) {
  const std::lock_guard lock(mutex_);
  std::weak_ptr<Live>& place = lists_[{address.url, kind}];
  if (auto live = place.lock()) {
    live->set_address(address);
    return std::shared_ptr<const io::LiveList>(std::move(live));
  }
  auto empty = EntryList::parse({}, kind);
  if (!empty) return std::move(empty).error();
  auto live = std::make_shared<Live>(address, std::move(*empty));
  read_copy(*live);
  place = live;
  std::erase_if(lists_, [](const auto& one) { return one.second.expired(); });
  return std::shared_ptr<const io::LiveList>(std::move(live));
}

// -- copies

Result<Done> UrlLists::keep_in(const std::string& folder) {
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return Failure{folder + ": " + std::strerror(errno)};
  const std::lock_guard lock(mutex_);
  folder_ = folder;
  std::vector<std::string> known;
  for (const auto& [place, list] : lists_) {
    const auto live = list.lock();
    if (!live) continue;
    read_copy(*live);
    known.push_back(file_of(*live));
  }
  std::error_code error;
  std::vector<fs::path> others;
  Directory files(folder);
  while (const auto name = files.next()) {
    fs::path file = fs::path(folder) / *name;
    const bool is_copy = name->find(copy_suffix) != std::string::npos;
    if (is_copy && std::find(known.begin(), known.end(), file.string()) == known.end())
      others.push_back(std::move(file));
  }
  for (const fs::path& file : others) fs::remove(file, error);
  return Done{};
}

// The name of a copy does not tell the address, which may have a key in it.
std::string UrlLists::file_of(const Live& list) const {
  SipHash<2, 4> hash({0x6c697374, 0x636f7079});
  hash.widen();
  hash.add(std::string_view(list.address().url));
  const auto [low, high] = hash.finish_wide();
  std::array<char, 33> name{};
  std::snprintf(name.data(), name.size(), "%016llx%016llx", static_cast<unsigned long long>(high),
                static_cast<unsigned long long>(low));
  return folder_ + '/' + name.data() + '.' + std::string(word(list.kind)) + std::string(copy_suffix);
}

// What cannot be read is fetched anew.
void UrlLists::read_copy(Live& list) const {
  if (folder_.empty() || list.is_there()) return;
  const auto copy = EntryList::file_octets(file_of(list));
  if (!copy) return;
  auto read = EntryList::parse(*copy, list.kind);
  if (!read) return;
  std::string etag;
  std::string modified;
  std::string_view rest = *copy;
  for (std::string* validator : {&etag, &modified}) {
    const std::string_view begin = validator == &etag ? etag_line : modified_line;
    const std::string_view line = rest.substr(0, rest.find('\n'));
    if (!line.starts_with(begin) || line.size() == rest.size()) return;  // cut off, or none of ours
    *validator = line.substr(begin.size());
    rest.remove_prefix(line.size() + 1);
  }
  list.set(std::move(*read), std::move(etag), std::move(modified));
}

// -- answers

std::vector<std::shared_ptr<UrlLists::Live>> UrlLists::in_use() {
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<Live>> all;
  for (const auto& [place, list] : lists_) {
    if (auto live = list.lock()) all.push_back(std::move(live));
  }
  return all;
}

std::vector<UrlLists::Due> UrlLists::due(Time now) {
  std::vector<Due> all;
  for (std::shared_ptr<Live>& live : in_use()) {
    if (auto question = live->ask(now)) all.push_back({std::move(live), std::move(*question)});
  }
  return all;
}

UrlLists::Taking UrlLists::taking(std::shared_ptr<Live> list, io::HttpAnswer answer) const {
  const std::lock_guard lock(mutex_);
  std::string file = folder_.empty() ? std::string() : file_of(*list);
  return {std::move(list), std::move(answer), std::move(file)};
}

UrlLists::Outcome UrlLists::Taking::operator()() {
  const bool is_long = answer.body.size() >= long_text;
  Outcome outcome = take();
  answer = {};
  // The C library keeps what large texts leave behind for the next ones, twice the list's own size or more.
  if (is_long) trim_heap();
  return outcome;
}

UrlLists::Outcome UrlLists::Taking::take() {
  if (answer.status == 304 && list->is_there()) return {};
  if (answer.status != 200) return {"the server's answer is " + std::to_string(answer.status), {}, {}};
  auto read = EntryList::parse(answer.body, list->kind);
  if (!read) return {read.error().message, {}, {}};
  Outcome outcome;
  outcome.entries = (*read)->size();
  const std::string etag = validator(answer, "etag");
  const std::string modified = validator(answer, "last-modified");
  list->set(std::move(*read), etag, modified);
  if (file.empty()) return outcome;
  const std::string head = std::string(etag_line) + etag + "\n" + std::string(modified_line) + modified + "\n";
  const auto kept = replace_file(file, head, answer.body);
  if (!kept) outcome.copy_problem = kept.error().message;
  return outcome;
}

void UrlLists::note(Live& list, const Outcome& outcome, Time now, Log& log) {
  const std::string url = shown(list.address().url);
  const bool is_news = list.answered(outcome.problem, now);
  if (outcome.entries) {
    log.write(LogLevel::info, "list_read", {{"url", url}, {"entries", static_cast<std::int64_t>(*outcome.entries)}});
  }
  const auto tell = [&](Fault fault, const std::string& detail) {
    log.write(LogLevel::warning, "fault", {{"kind", name(fault)}, {"detail", detail}});
  };
  if (!outcome.problem.empty()) {
    counters_.add(Fault::reload_failed);
    if (is_news) tell(Fault::reload_failed, url + ": " + outcome.problem + "; the list stays as it was");
  }
  if (!outcome.copy_problem.empty()) {
    counters_.add(Fault::state);
    tell(Fault::state, outcome.copy_problem + "; a restart begins with an older copy of the list, or none");
  }
}

}  // namespace sallyport::state
