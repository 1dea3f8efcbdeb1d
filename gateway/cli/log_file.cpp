#include "gateway/cli/log_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <utility>

#include "gateway/base/directory.h"

namespace sallyport::cli {
namespace {

// The longest line that is read; the gateway writes none that is longer than a quarter of it.
constexpr std::size_t most_of_a_line = 64 * 1024;

// What other programs compress with, which is not read here.
constexpr std::array<std::string_view, 3> other_forms{
    "\xfd"
    "7zXZ",
    "BZh", "\x28\xb5\x2f\xfd"};

// ".1", ".2.gz", "-20261130", "-20261130-1600.gz"
bool is_mark_of_rotation(std::string_view end) {
  if (end.size() < 2 || (end.front() != '.' && end.front() != '-')) return false;
  end.remove_prefix(1);
  for (const std::string_view packed : {".gz", ".xz", ".bz2", ".zst"}) {
    if (end.ends_with(packed)) end.remove_suffix(packed.size());
  }
  return !end.empty() && end.find_first_not_of("0123456789-_T") == end.npos && end.front() >= '0' && end.front() <= '9';
}

struct Found {
  std::filesystem::path path;
  Descriptor file;
  struct ::stat status {};
};

bool is_same_file(const struct ::stat& one, const struct ::stat& other) {
  return one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

WallTime last_change(const struct ::stat& status) {
  return WallTime(std::chrono::duration_cast<WallTime::duration>(std::chrono::seconds(status.st_mtim.tv_sec) +
                                                                 std::chrono::nanoseconds(status.st_mtim.tv_nsec)));
}

struct CloseGzip {
  void operator()(gzFile file) const noexcept { ::gzclose_r(file); }
};

std::string why_not(gzFile file) {
  int code = Z_OK;
  const char* const text = ::gzerror(file, &code);
  if (code == Z_ERRNO) return std::strerror(errno);
  if (code == Z_BUF_ERROR) return "it is compressed, and ends too early";
  return std::string("it is compressed, and damaged: ") + text;
}

}  // namespace

Result<std::vector<LogFile>> open_rotated(const std::string& path, const Descriptor& current, WallTime since) {
  const std::filesystem::path whole(path);
  const std::filesystem::path folder = whole.has_parent_path() ? whole.parent_path() : std::filesystem::path(".");
  const std::string name = whole.filename().string();
  struct ::stat of_current {};
  const bool is_current_there = current && ::fstat(current.get(), &of_current) == 0;
  std::vector<Found> found;
  Directory names(folder.string());
  while (const auto entry = names.next()) {
    if (!entry->starts_with(name) || !is_mark_of_rotation(entry->substr(name.size()))) continue;
    Found one;
    one.path = folder / std::string(*entry);
    one.file = Descriptor(::open(one.path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!one.file || ::fstat(one.file.get(), &one.status) != 0) {
      if (errno == ENOENT) continue;  // rotated away in this moment
      return Failure{one.path.string() + ": " + std::strerror(errno)};
    }
    if (!S_ISREG(one.status.st_mode) || last_change(one.status) < since) continue;
    if (is_current_there && is_same_file(one.status, of_current)) continue;
    const bool is_there = std::any_of(found.begin(), found.end(),
                                      [&](const Found& other) { return is_same_file(one.status, other.status); });
    if (!is_there) found.push_back(std::move(one));
  }
  if (names.error() != 0) return Failure{folder.string() + ": " + std::strerror(names.error())};
  std::sort(found.begin(), found.end(), [](const Found& one, const Found& other) {
    const WallTime of_one = last_change(one.status);
    const WallTime of_other = last_change(other.status);
    return of_one != of_other ? of_one < of_other : one.path < other.path;
  });
  std::vector<LogFile> files;
  for (Found& one : found) files.push_back({one.path.string(), std::move(one.file)});
  return files;
}

std::optional<std::string> read_lines(Descriptor file,
                                      const std::function<void(std::optional<std::string_view>)>& take) {
  const std::unique_ptr<gzFile_s, CloseGzip> reader(::gzdopen(file.get(), "rb"));
  if (!reader) return "there is not enough memory";
  file.release();
  std::string line;
  bool is_too_long = false;
  bool is_first = true;
  const auto end_line = [&] {
    if (line.ends_with('\r')) line.pop_back();
    take(is_too_long ? std::nullopt : std::optional<std::string_view>(line));
    line.clear();
    is_too_long = false;
  };
  std::string block(64 * 1024, '\0');
  while (true) {
    const int count = ::gzread(reader.get(), block.data(), static_cast<unsigned>(block.size()));
    if (count < 0) return why_not(reader.get());
    if (count == 0) break;
    std::string_view rest(block.data(), static_cast<std::size_t>(count));
    for (const std::string_view form : other_forms) {
      if (is_first && rest.starts_with(form))
        return "it is compressed, and not by gzip; give it to `sallyport report -` uncompressed";
    }
    is_first = false;
    while (!rest.empty()) {
      const std::size_t end = rest.find('\n');
      const std::string_view part = rest.substr(0, end);
      if (line.size() + part.size() > most_of_a_line) {
        is_too_long = true;
        line.clear();
      }
      if (!is_too_long) line += part;
      if (end == rest.npos) break;
      end_line();
      rest.remove_prefix(end + 1);
    }
  }
  int code = Z_OK;
  ::gzerror(reader.get(), &code);
  if (!line.empty() || is_too_long) end_line();
  if (code != Z_OK && code != Z_STREAM_END) return why_not(reader.get());
  return std::nullopt;
}

}  // namespace sallyport::cli
