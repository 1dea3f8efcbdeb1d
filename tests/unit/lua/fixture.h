// A rule path with the files a test writes, and what is needed to run its rules.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/mail/message.h"
#include "lua/engine/rule_set.h"

namespace sallyport::lua {

// Rules that need no file of their own for their name, stage and module.
inline std::string rule_text(const std::string& body, const std::string& stage = "message") {
  return "local sp = require 'sallyport'\nsp.rule { name = 'r', stage = '" + stage +
         "', score = 3, run = function(tx)\n" + body + "\nend }\n";
}

class NoSpool final : public mail::Spool {
 public:
  Result<std::unique_ptr<mail::SpoolFile>> open() override { return Failure{"no spool"}; }
};

class RulesTest : public testing::Test {
 protected:
  RulesTest() {
    std::string pattern = testing::TempDir() + "sallyport-rules-XXXXXX";
    EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    settings.path = folder_;
    settings.on_error = OnError::tempfail;
    mail.id = "01JD3K7Q0123ABCD";
    mail.client.ip = *IpAddress::parse("192.0.2.7");
    mail.client.port = 40000;
    mail.client.helo = "mail.example.org";
    mail.now = WallTime(std::chrono::seconds(1'790'000'000));
    mail.from = MailAddress{"ann", "example.org"};
    mail.rcpts.push_back({"bob", "example.com"});
  }
  ~RulesTest() override {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  void write(const std::string& name, std::string_view source) {
    std::ofstream(settings.path + "/" + name, std::ios::binary) << source;
  }

  // Loads what has been written; a test that expects no errors stops here when there are some.
  void load() {
    auto loaded = RuleSet::load(settings, checks);
    ASSERT_TRUE(loaded) << loaded.error().front().file << ":" << loaded.error().front().line << ": "
                        << loaded.error().front().message;
    rules = std::move(*loaded);
  }
  std::vector<std::string> load_errors() {
    auto loaded = RuleSet::load(settings, checks);
    std::vector<std::string> lines;
    if (loaded) return lines;
    for (const LoadError& error : loaded.error()) {
      const std::string name = std::filesystem::path(error.file).filename();
      lines.push_back(name + ":" + std::to_string(error.line) + ":" + std::to_string(error.column) + ": " +
                      error.message);
    }
    return lines;
  }

  // The lines of one rule's function, loaded and run once.
  RunResult run_body(const std::string& body) {
    write("r.lua", rule_text(body));
    load();
    if (HasFatalFailure()) return {};
    return run();
  }
  RunResult run(std::size_t index = 0) { return rules->run(rules->rules().at(index), mail, facts); }
  // What the rule's function gives, as text: the detail of the hit that it ends with.
  std::string text_of(const std::string& expression) {
    const RunResult result = run_body("return sp.hit { detail = tostring(" + expression + ") }");
    return result.kind == RunResult::Kind::verdict ? result.fact.detail : "failed";
  }

  void set_message(std::string_view octets) {
    message = std::make_unique<mail::Message>(mail::MessageLimits{}, spool);
    message->append(octets);
    message->parse_header();
    mail.message = message.get();
  }

  RuleSettings settings;
  std::vector<std::string_view> checks;  // those that rules may name; none: any
  policies::Transaction mail;
  policies::Facts facts;
  NoSpool spool;
  std::unique_ptr<mail::Message> message;
  std::unique_ptr<RuleSet> rules;

 private:
  std::string folder_;  // whatever settings.path becomes in a test
};

}  // namespace sallyport::lua
