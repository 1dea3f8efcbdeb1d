#include "tests/unit/session/conversation.h"

#include <algorithm>

#include "gateway/base/text.h"
#include "tests/unit/smtp/content_model.h"

namespace sallyport::session {

namespace {

constexpr std::uint64_t any_length = UINT64_MAX;
constexpr std::size_t flood_octets = 64 * 1024;

// The command line at the beginning: `octets` is its length with its line end, 0 when it is not complete. A line that
// does not end with CRLF is the last one of its session.
struct Line {
  std::size_t octets = 0;
  bool is_last = false;
};

Line first_line(std::string_view octets) {
  for (std::size_t i = 0; i < std::min(octets.size(), flood_octets); ++i) {
    if (octets[i] == '\n' || octets[i] == '\0') return {i + 1, true};
    if (octets[i] != '\r') continue;
    if (i + 1 == octets.size()) return {};
    return octets[i + 1] == '\n' ? Line{i + 2, false} : Line{i + 1, true};
  }
  return octets.size() < flood_octets ? Line{} : Line{flood_octets, true};
}

std::string verb_of(std::string_view line) {
  std::size_t end = 0;
  while (end < line.size() && (text::is_alnum(line[end]) || line[end] == '-')) ++end;
  return text::to_upper(line.substr(0, end));
}

// A well-formed "BDAT 5 LAST".
struct Chunk {
  std::uint64_t octets = 0;
  bool is_last = false;
};
std::optional<Chunk> chunk_of(std::string_view line) {
  constexpr std::uint64_t most = (std::uint64_t{1} << 63) - 1;
  if (verb_of(line) != "BDAT" || line.size() < 5 || !text::is_space(line[4])) return std::nullopt;
  std::string_view words = text::trim(line.substr(5));
  std::string_view digits = words.substr(0, words.find_first_of(" \t"));
  std::string_view rest = text::trim(words.substr(digits.size()));
  auto octets = text::to_number(digits, most);
  if (!octets || digits.size() > 20) return std::nullopt;
  if (!rest.empty() && !text::equals_ignoring_case(rest, "LAST")) return std::nullopt;
  return Chunk{*octets, !rest.empty()};
}

std::string enhanced_code_in(std::string_view text) {
  std::string_view word = text.substr(0, text.find(' '));
  auto parts = text::split(word, '.');
  bool is_one = parts.size() == 3 && std::all_of(parts.begin(), parts.end(), [](std::string_view part) {
                  return part.size() <= 3 && text::to_number(part);
                });
  return is_one ? std::string(word) : std::string();
}

class Reader {
 public:
  Reader(std::string_view requests, std::string_view answers) : requests_(requests), answers_(read_replies(answers)) {}

  Conversation read() {
    talk_.replies = answers_.replies;
    take_answer();  // the greeting
    while (next_command()) {
    }
    talk_.plain_requests = talk_.is_secured ? at_ : requests_.size();
    talk_.plain_replies = talk_.is_secured ? answers_.replies[answered_ - 1].end : SIZE_MAX;
    talk_.unanswered_for = talk_.is_secured ? 0 : talk_.replies.size() - answered_;
    return std::move(talk_);
  }

 private:
  std::string_view rest() const { return requests_.substr(at_); }
  const SaidReply* take_answer() {
    if (answered_ == answers_.replies.size()) return nullptr;
    return &answers_.replies[answered_++];
  }

  bool next_command() {
    Line line = first_line(rest());
    if (line.octets == 0) return false;
    std::string_view text = rest().substr(0, line.octets - std::min<std::size_t>(line.octets, 2));
    at_ += line.octets;
    ++talk_.commands;
    if (auto chunk = line.is_last ? std::nullopt : chunk_of(text)) return next_chunk(*chunk);
    const SaidReply* answer = take_answer();
    if (!answer || line.is_last) return false;
    std::string verb = verb_of(text);
    if (verb == "STARTTLS" && answer->code == 220) {
      talk_.is_secured = true;
      return false;
    }
    // Any 3yz reply means that the client may send: it looks at the first digit (RFC 5321, 4.2.1 and 4.3.2).
    if (verb == "DATA" && answer->is_intermediate()) return content();
    if (verb == "RCPT" && answer->is_positive()) rcpts_.emplace_back(text);
    bool begins = verb == "MAIL" && answer->is_positive();
    bool ends = (verb == "RSET" || verb == "EHLO" || verb == "HELO") && answer->is_positive();
    if (begins || ends) forget();
    if (begins) mail_ = text;
    return true;
  }

  bool content() {
    auto read = smtp::model_data(rest(), any_length);
    if (!read.ended) return false;
    at_ += read.consumed;
    ++talk_.commands;
    return end_message(std::move(read.content));
  }

  bool next_chunk(Chunk chunk) {
    bool is_whole = chunk.octets <= rest().size();
    std::string_view octets = rest().substr(0, is_whole ? static_cast<std::size_t>(chunk.octets) : rest().size());
    at_ += octets.size();
    if (!is_whole) {
      take_answer();  // a chunk that is too large is refused before its octets arrive
      return false;
    }
    chunks_ += octets;
    if (chunk.is_last) return end_message(smtp::model_chunks(chunks_, any_length).content);
    const SaidReply* answer = take_answer();
    if (answer && !answer->is_positive()) chunks_.clear();
    return answer != nullptr;
  }

  bool end_message(std::string content) {
    SaidMessage message{std::move(content), at_, std::nullopt, mail_, rcpts_};
    if (const SaidReply* answer = take_answer()) message.answer = *answer;
    bool goes_on = message.answer.has_value();
    talk_.messages.push_back(std::move(message));
    forget();
    return goes_on;
  }

  void forget() {
    mail_.clear();
    rcpts_.clear();
    chunks_.clear();
  }

  std::string_view requests_;
  SaidReplies answers_;
  Conversation talk_;
  std::size_t at_ = 0;
  std::size_t answered_ = 0;
  std::string mail_;
  std::vector<std::string> rcpts_;
  std::string chunks_;
};

}  // namespace

SaidReplies read_replies(std::string_view octets) {
  SaidReplies said;
  std::size_t begin = 0;
  std::size_t at = 0;
  int code = 0;
  while (at < octets.size()) {
    std::size_t end = octets.find("\r\n", at);
    if (end == std::string_view::npos) break;
    std::string_view line = octets.substr(at, end - at);
    at = end + 2;
    auto number = text::to_number(line.substr(0, 3), 599);
    bool fits = number && *number >= 200 && (line.size() == 3 || line[3] == ' ' || line[3] == '-');
    if (!fits || (code != 0 && static_cast<int>(*number) != code)) break;
    code = static_cast<int>(*number);
    if (line.size() > 3 && line[3] == '-') continue;
    std::string_view words = line.substr(std::min<std::size_t>(line.size(), 4));
    said.replies.push_back({code, enhanced_code_in(words), std::string(octets.substr(begin, at - begin)), at});
    begin = at;
    code = 0;
  }
  said.left_over = octets.substr(begin);
  return said;
}

Conversation read_conversation(std::string_view requests, std::string_view answers) {
  return Reader(requests, answers).read();
}

}  // namespace sallyport::session
