// Finds the parts of mails for the comparison with Python's email package (test_mime_peer.py): a JSON object a line on
// standard input, one a line on standard output.
//
//   {"mail": MAIL}  ->  {"oddities": WORDS, "unscannable": WORD, "parts": [{"type": T, "content": C, "names": [...],
//                        "alternate": B, "around": B, "container": B, "charset": C}, ...]}
// Mails and contents are in base64.
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "gateway/base/base64.h"
#include "gateway/mail/message.h"
#include "gateway/mime/analysis.h"
#include "gateway/mime/contents.h"

namespace {

using namespace sallyport;
using nlohmann::json;

class NoSpool final : public mail::Spool {
 public:
  Result<std::unique_ptr<mail::SpoolFile>> open() override { return Failure{"there is none"}; }
};

json read(const std::string& octets) {
  NoSpool spool;
  mail::Message message(mail::MessageLimits{std::uint64_t{1} << 26, std::uint64_t{1} << 26}, spool);
  message.append(octets);
  message.parse_header();
  const mime::Tree tree = mime::read_tree(message);
  json answer{
      {"oddities", to_field_text(tree.oddities)}, {"unscannable", word(tree.unscannable)}, {"parts", json::array()}};
  mime::Contents contents;
  for (mime::PartIndex i = 0; i < tree.parts.size(); ++i) {
    const mime::Part& part = tree.parts[i];
    json names = json::array();
    for (const mime::Name& name : part.names) {
      if (name.source != mime::NameSource::subject) names.push_back(name.text);
    }
    const bool is_around = part.origin == mime::Origin::preamble || part.origin == mime::Origin::epilogue;
    const auto content = contents.bytes(message, tree, i, std::size_t{1} << 26);
    answer["parts"].push_back({{"type", part.declared_type},
                               {"content", to_base64(content ? *content : std::string())},
                               {"names", std::move(names)},
                               {"alternate", part.is_alternate},
                               {"around", is_around},
                               {"container", part.is_container},
                               {"oddities", to_field_text(part.oddities)}});
  }
  return answer;
}

}  // namespace

int main() {
  for (std::string line; std::getline(std::cin, line);) {
    const json request = json::parse(line);
    std::cout << read(*from_base64(request.at("mail").get<std::string>()))
                     .dump(-1, ' ', false, json::error_handler_t::replace)
              << std::endl;
  }
  return 0;
}
