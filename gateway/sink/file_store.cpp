#include "gateway/sink/file_store.h"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "gateway/async/share.h"
#include "gateway/base/text.h"

namespace sallyport::sink {

namespace {

constexpr std::size_t piece_octets = std::size_t{64} * 1024;

std::string eight_digits(std::uint64_t number) {
  char text[32];
  std::snprintf(text, sizeof text, "%08llu", static_cast<unsigned long long>(number));
  return text;
}

// Writes the file under a temporary name and renames it, so that a reader of the directory never sees half a file.
Task<Result<Done>> write_whole(std::string path, std::string_view octets, async::Scheduler& scheduler) {
  std::string unfinished = path + ".tmp";
  {
    std::ofstream file(unfinished, std::ios::binary);
    while (!octets.empty()) {
      const std::string_view piece = octets.substr(0, piece_octets);
      octets.remove_prefix(piece.size());
      co_await async::Share(scheduler, piece.size());
      file.write(piece.data(), static_cast<std::streamsize>(piece.size()));
    }
    if (!file.flush()) co_return Failure{"cannot write " + unfinished};
  }
  std::error_code problem;
  std::filesystem::rename(unfinished, path, problem);
  if (problem) co_return Failure{"cannot rename " + unfinished + ": " + problem.message()};
  co_return Done{};
}

}  // namespace

FileStore::FileStore(std::string directory) : directory_(std::move(directory)) {
  while (std::filesystem::exists(directory_ + "/" + eight_digits(number_) + ".json")) ++number_;
}

Task<Result<Done>> FileStore::store(const SinkMessage& message, async::Scheduler& scheduler) {
  // Others may come while this one is written. After a failure its number stays unused.
  const std::string stem = directory_ + "/" + eight_digits(number_++);
  nlohmann::json envelope{{"helo", message.helo},
                          {"tls", message.tls},
                          {"mail", message.mail_line},
                          {"rcpt", message.rcpt_lines},
                          {"bdat", message.by_bdat}};
  // The envelope is written last: when it exists, the content is complete. Octets that are not UTF-8 are replaced and
  // never cause a failure.
  auto content = co_await write_whole(stem + ".eml", message.content, scheduler);
  if (!content) co_return content;
  const std::string about = envelope.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  co_return co_await write_whole(stem + ".json", about, scheduler);
}

Task<Result<Done>> TellingStore::store(const SinkMessage& message, async::Scheduler& scheduler) {
  auto stored = co_await behind_.store(message, scheduler);
  if (stored) {
    std::cout << "message " << text::printable(message.mail_line) << ' '
              << text::printable(text::join(message.rcpt_lines, " "), 1000) << " octets=" << message.content.size()
              << (message.tls ? " tls" : "") << std::endl;
  }
  co_return stored;
}

}  // namespace sallyport::sink
