// The answers of `init`: from a file, from a terminal, and the configuration made of them.
#include "gateway/cli/init_answers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace sallyport::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

InitAnswers complete() {
  InitAnswers answers;
  answers.hostname = "mx1.example.com";
  answers.domains = {"example.com", "*.example.org"};
  answers.upstream = "10.0.0.5";
  answers.certificate = "none";
  return answers;
}

TEST(InitAnswers, AFileFillsWhatWasNotSaidBefore) {
  InitAnswers answers;
  answers.hostname = "said.example.com";
  const auto read = read_answers(
      "# first day\nhostname = mx1.example.com\r\ndomains = example.com, example.org  third.example\n"
      "upstream = \"10.0.0.5:2525\"\n\ncertificate=/etc/certs\ndns = 127.0.0.1\nmode = shadow\nlisten = 0.0.0.0:25\n",
      answers);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(answers.hostname, "said.example.com");
  EXPECT_THAT(answers.domains, ElementsAre("example.com", "example.org", "third.example"));
  EXPECT_EQ(answers.upstream, "10.0.0.5:2525");
  EXPECT_EQ(answers.certificate, "/etc/certs");
  EXPECT_TRUE(answers.shadow);
}

TEST(InitAnswers, AWrongLineIsNamed) {
  InitAnswers answers;
  EXPECT_THAT(read_answers("hostname = a.example\nnonsense\n", answers).error().message, HasSubstr("line 2"));
  EXPECT_THAT(read_answers("hostnme = a.example\n", answers).error().message, HasSubstr("did you mean hostname?"));
  EXPECT_FALSE(read_answers("mode = loud\n", answers));
}

TEST(InitAnswers, TheTerminalIsAskedForWhatIsMissingUntilItMakesSense) {
  InitAnswers answers;
  answers.upstream = "10.0.0.5:25";
  std::istringstream input("no name\nmx1.example.com\n\nexample.com example.org\n\n\n");
  std::ostringstream questions;
  const auto asked = ask_for_answers(input, questions, answers);
  ASSERT_TRUE(asked) << asked.error().message;
  EXPECT_EQ(answers.hostname, "mx1.example.com");
  EXPECT_THAT(answers.domains, ElementsAre("example.com", "example.org"));
  EXPECT_EQ(answers.certificate, "none");
  EXPECT_TRUE(answers.dns.empty());
  EXPECT_THAT(questions.str(), Not(HasSubstr("Your mail server")));
  std::istringstream ended("mx1.example.com\n");
  InitAnswers fresh;
  EXPECT_FALSE(ask_for_answers(ended, questions, fresh));
}

TEST(InitAnswers, WhatCannotBeRightIsSaid) {
  EXPECT_TRUE(check_answers(complete()));
  const auto fails = [](auto change) {
    InitAnswers answers = complete();
    change(answers);
    return !check_answers(answers);
  };
  EXPECT_TRUE(fails([](InitAnswers& a) { a.hostname = "mx1"; }));
  EXPECT_TRUE(fails([](InitAnswers& a) { a.hostname = "192.0.2.1"; }));
  EXPECT_TRUE(fails([](InitAnswers& a) { a.hostname = "a.example\"\nuser = \"root"; }));
  EXPECT_TRUE(fails([](InitAnswers& a) { a.domains.clear(); }));
  EXPECT_TRUE(fails([](InitAnswers& a) { a.domains.push_back("a@b"); }));
  EXPECT_TRUE(fails([](InitAnswers& a) { a.upstream = "a b"; }));
  EXPECT_TRUE(fails([](InitAnswers& a) { a.dns = {"resolver.example"}; }));
  EXPECT_TRUE(fails([](InitAnswers& a) { a.listen = "everywhere"; }));
}

TEST(InitAnswers, TheConfigurationHasPortsAndQuotes) {
  InitAnswers answers = complete();
  answers.dns = {"127.0.0.1", "::1"};
  answers.certificate = "/etc/x \"y\"";
  answers.shadow = true;
  const std::string text = configuration_of(answers);
  EXPECT_THAT(text, HasSubstr("upstream = \"10.0.0.5:25\"\n"));
  EXPECT_THAT(text, HasSubstr("domains = [\"example.com\", \"*.example.org\"]\n"));
  EXPECT_THAT(text, HasSubstr("servers = [\"127.0.0.1:53\", \"[::1]:53\"]\n"));
  EXPECT_THAT(text, HasSubstr("cert = \"/etc/x \\\"y\\\"\"\n"));
  EXPECT_THAT(text, HasSubstr("mode = \"shadow\"\n"));
  EXPECT_THAT(configuration_of(complete()), Not(HasSubstr("[tls]")));
}

}  // namespace
}  // namespace sallyport::cli
