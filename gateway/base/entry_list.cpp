#include "gateway/base/entry_list.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "gateway/base/a_labels.h"
#include "gateway/base/byte_order_mark.h"
#include "gateway/base/descriptor.h"
#include "gateway/base/domain_name.h"
#include "gateway/base/id.h"
#include "gateway/base/letters.h"
#include "gateway/base/text.h"

namespace sallyport {

namespace {

constexpr std::size_t longest_entry = 1000;

std::optional<std::string> domain_of(std::string_view text) {
  if (text.starts_with("*.")) text.remove_prefix(1);
  if (text.starts_with('.')) text.remove_prefix(1);
  if (text.ends_with('.')) text.remove_suffix(1);
  if (text::is_ascii(text)) {
    if (!is_domain_name(text)) return std::nullopt;
    return text::to_lower(text);
  }
  auto labels = to_a_labels(text);
  if (!labels) return std::nullopt;
  return std::move(*labels);
}

std::optional<std::string> address_of(std::string_view text) {
  const std::size_t at = text.rfind('@');
  if (at == std::string_view::npos || at == 0) return std::nullopt;
  auto domain = domain_of(text.substr(at + 1));
  if (!domain) return std::nullopt;
  return fold_letters(text.substr(0, at)) + '@' + *domain;
}

// The entry as the list has it; nothing for what cannot be one.
std::optional<std::string> entry_of(std::string_view text, EntryKind kind) {
  if (text.empty() || text.size() > longest_entry) return std::nullopt;
  switch (kind) {
    case EntryKind::domain:
      return domain_of(text);
    case EntryKind::address:
      return address_of(text);
    case EntryKind::word:
      if (std::any_of(text.begin(), text.end(), text::is_control)) return std::nullopt;
      return fold_letters(text);
    case EntryKind::network:
      break;
  }
  return std::nullopt;
}

std::string_view without_comment(std::string_view line) {
  for (std::size_t i = 0; i < line.size(); ++i) {
    const bool is_mark = line[i] == '#' || line[i] == ';';
    if (is_mark && (i == 0 || text::is_space(line[i - 1]))) return line.substr(0, i);
  }
  return line;
}

const char* name_of(EntryKind kind) {
  switch (kind) {
    case EntryKind::domain:
      return "domain name";
    case EntryKind::address:
      return "address";
    case EntryKind::network:
      return "network";
    case EntryKind::word:
      break;
  }
  return "word";
}

}  // namespace

EntryList::EntryList(EntryKind kind) : kind_(kind), key_{random_seed(), random_seed()} {}

std::size_t EntryList::slot_of(std::string_view entry) const {
  SipHash<1, 3> hash(key_);
  hash.add(entry);
  std::size_t slot = hash.finish() & (slots_.size() - 1);
  while (slots_[slot] != 0 && entry_at(slots_[slot]) != entry) slot = (slot + 1) & (slots_.size() - 1);
  return slot;
}

std::string_view EntryList::entry_at(std::uint32_t number) const {
  const std::string_view rest = std::string_view(octets_).substr(number - 1);
  return rest.substr(0, rest.find('\n'));
}

bool EntryList::has(std::string_view entry) const { return !slots_.empty() && slots_[slot_of(entry)] != 0; }

void EntryList::grow() {
  const std::vector<std::uint32_t> before = std::exchange(slots_, {});
  slots_.assign(std::max<std::size_t>(64, before.size() * 2), 0);
  for (const std::uint32_t number : before) {
    if (number != 0) slots_[slot_of(entry_at(number))] = number;
  }
}

void EntryList::add(std::string_view entry) {
  if (count_ * 4 >= slots_.size() * 3) grow();
  std::uint32_t& slot = slots_[slot_of(entry)];
  if (slot != 0) return;
  slot = static_cast<std::uint32_t>(octets_.size()) + 1;
  octets_ += entry;
  octets_ += '\n';
  ++count_;
}

Result<std::shared_ptr<const EntryList>> EntryList::parse(std::string_view text, EntryKind kind) {
  if (text.size() > most_octets) return Failure{"too long for a list"};
  std::shared_ptr<EntryList> list(new EntryList(kind));
  text = without_byte_order_mark(text);
  // Once, and not twice as much each time that there is no room.
  if (kind != EntryKind::network) list->octets_.reserve(text.size() + 1);
  std::size_t number = 0;
  while (!text.empty()) {
    ++number;
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    line = text::trim(without_comment(line));
    if (line.empty()) continue;
    if (kind == EntryKind::network) {
      if (const auto network = IpNetwork::parse(line)) {
        list->networks_.add(*network);
        ++list->count_;
        continue;
      }
    } else if (const auto entry = entry_of(line, kind)) {
      list->add(*entry);
      continue;
    }
    return Failure{"line " + std::to_string(number) + ": not a" + (kind == EntryKind::address ? "n " : " ") +
                   name_of(kind)};
  }
  list->networks_.sort();
  list->octets_.shrink_to_fit();
  return std::shared_ptr<const EntryList>(std::move(list));
}

// A file's octets as they are on the disk. Another process may cut it meanwhile, which a mapping must not survive; so
// it is read, in one piece.
Result<std::string> EntryList::file_octets(const std::string& path) {
  const auto failure = [&path](const char* what) { return Failure{path + ": " + what + std::strerror(errno)}; };
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat about {};
  if (file.get() < 0 || ::fstat(file.get(), &about) != 0) return failure("");
  if (!S_ISREG(about.st_mode)) return Failure{path + ": not a file"};
  if (static_cast<std::uint64_t>(about.st_size) > most_octets) return Failure{path + ": too long for a list"};
  std::string octets(static_cast<std::size_t>(about.st_size), '\0');
  std::size_t filled = 0;
  while (filled < octets.size()) {
    const ssize_t read = ::read(file.get(), octets.data() + filled, octets.size() - filled);
    if (read < 0 && errno == EINTR) continue;
    if (read < 0) return failure("cannot be read: ");
    if (read == 0) break;
    filled += static_cast<std::size_t>(read);
  }
  octets.resize(filled);
  return octets;
}

Result<std::shared_ptr<const EntryList>> EntryList::read(const std::string& path, EntryKind kind) {
  const auto octets = file_octets(path);
  if (!octets) return octets.error();
  auto list = parse(*octets, kind);
  if (!list) return Failure{path + ": " + list.error().message};
  return list;
}

bool EntryList::contains(std::string_view what) const {
  if (kind_ == EntryKind::network) {
    const auto address = IpAddress::parse(what);
    return address && networks_.contains(*address);
  }
  const auto entry = entry_of(what, kind_);
  if (!entry) return false;
  if (kind_ != EntryKind::domain) return has(*entry);
  std::string_view domain = *entry;
  while (true) {
    if (has(domain)) return true;
    const std::size_t dot = domain.find('.');
    if (dot == std::string_view::npos) return false;
    domain.remove_prefix(dot + 1);
  }
}

std::size_t EntryList::octets() const {
  return sizeof *this + octets_.capacity() + slots_.capacity() * sizeof(std::uint32_t) +
         networks_.v4().capacity() * sizeof(NetworkSet::V4Range) +
         networks_.v6().capacity() * sizeof(NetworkSet::V6Range);
}

}  // namespace sallyport
