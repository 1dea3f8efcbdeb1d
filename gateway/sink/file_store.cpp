#include "gateway/sink/file_store.h"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "gateway/base/text.h"

namespace sallyport::sink {

namespace {

std::string eight_digits(std::uint64_t number) {
  char text[32];
  std::snprintf(text, sizeof text, "%08llu", static_cast<unsigned long long>(number));
  return text;
}

// Writes the file under a temporary name and renames it, so that a reader of the directory never sees half a file.
Result<Done> write_whole(const std::string& path, std::string_view octets) {
  std::string unfinished = path + ".tmp";
  {
    std::ofstream file(unfinished, std::ios::binary);
    file.write(octets.data(), static_cast<std::streamsize>(octets.size()));
    if (!file.flush()) return Failure{"cannot write " + unfinished};
  }
  std::error_code problem;
  std::filesystem::rename(unfinished, path, problem);
  if (problem) return Failure{"cannot rename " + unfinished + ": " + problem.message()};
  return Done{};
}

}  // namespace

FileStore::FileStore(std::string directory) : directory_(std::move(directory)) {
  while (std::filesystem::exists(directory_ + "/" + eight_digits(number_) + ".json")) ++number_;
}

Result<Done> FileStore::store(const SinkMessage& message) {
  std::string stem = directory_ + "/" + eight_digits(number_);
  nlohmann::json envelope{{"helo", message.helo},
                          {"tls", message.tls},
                          {"mail", message.mail_line},
                          {"rcpt", message.rcpt_lines},
                          {"bdat", message.by_bdat}};
  // The envelope is written last: when it exists, the content is complete. Octets that are not UTF-8 are replaced and
  // never cause a failure.
  auto content = write_whole(stem + ".eml", message.content);
  if (!content) return content;
  auto written = write_whole(stem + ".json", envelope.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  if (written) ++number_;
  return written;
}

Result<Done> TellingStore::store(const SinkMessage& message) {
  auto stored = behind_.store(message);
  if (stored) {
    std::cout << "message " << text::printable(message.mail_line) << ' '
              << text::printable(text::join(message.rcpt_lines, " "), 1000) << " octets=" << message.content.size()
              << (message.tls ? " tls" : "") << std::endl;
  }
  return stored;
}

}  // namespace sallyport::sink
