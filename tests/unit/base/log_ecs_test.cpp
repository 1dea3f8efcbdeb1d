// The log under the names of the Elastic Common Schema, held against a table of its fields and their types.
#include "gateway/base/log_ecs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "gateway/base/log_line.h"

namespace sallyport {
namespace {

using nlohmann::json;

constexpr log_line::Form ecs{.format = LogFormat::json, .schema = LogSchema::ecs};

json line_of(LogLevel level, std::string_view event, const std::vector<LogField>& fields) {
  std::string body;
  log_line::append_body(body, ecs, level, event, fields);
  std::string line;
  log_line::append_line(line, ecs, level, WallTime(std::chrono::seconds(1795384529)), body);
  return json::parse(line);
}

// https://www.elastic.co/guide/en/ecs/8.11: the fields used here. Of "keyword[]" a list is written, as ECS wants it.
const std::map<std::string, std::string> table{
    {"@timestamp", "date"},
    {"log.level", "keyword"},
    {"message", "text"},
    {"ecs.version", "keyword"},
    {"event.id", "keyword"},
    {"event.module", "keyword"},
    {"event.dataset", "keyword"},
    {"event.kind", "keyword"},
    {"event.category", "keyword[]"},
    {"event.type", "keyword[]"},
    {"event.action", "keyword"},
    {"event.outcome", "keyword"},
    {"event.code", "keyword"},
    {"event.reason", "keyword"},
    {"event.duration", "long"},
    {"source.ip", "ip"},
    {"source.domain", "keyword"},
    {"email.from.address", "keyword[]"},
    {"email.to.address", "keyword[]"},
    {"tls.version", "keyword"},
    {"tls.version_protocol", "keyword"},
    {"tls.established", "boolean"},
    {"network.protocol", "keyword"},
    {"network.transport", "keyword"},
    {"rule.name", "keyword"},
    {"error.type", "keyword"},
    {"error.message", "text"},
    {"service.version", "keyword"},
    {"file.path", "keyword"},
};
const std::set<std::string> categories{
    "api",      "authentication", "configuration", "database",      "driver",
    "email",    "file",           "host",          "iam",           "intrusion_detection",
    "library",  "malware",        "network",       "package",       "process",
    "registry", "session",        "threat",        "vulnerability", "web"};
const std::set<std::string> types{"access",   "admin",        "allowed",  "change", "connection", "creation",
                                  "deletion", "denied",       "end",      "error",  "group",      "indicator",
                                  "info",     "installation", "protocol", "start",  "user"};
const std::set<std::string> kinds{"alert",  "asset", "enrichment",     "event",
                                  "metric", "state", "pipeline_error", "signal"};

void expect_ecs(const json& line) {
  for (const auto& [key, value] : line.items()) {
    if (key.starts_with("sallyport.")) continue;
    ASSERT_TRUE(table.contains(key)) << key;
    const std::string& type = table.at(key);
    if (type == "keyword[]") {
      ASSERT_TRUE(value.is_array() && !value.empty()) << key;
      for (const json& item : value) EXPECT_TRUE(item.is_string()) << key;
    } else if (type == "long") {
      EXPECT_TRUE(value.is_number_integer()) << key;
    } else if (type == "boolean") {
      EXPECT_TRUE(value.is_boolean()) << key;
    } else {
      ASSERT_TRUE(value.is_string()) << key;
      EXPECT_FALSE(value.get<std::string>().empty()) << key;
    }
  }
  for (const char* key : {"@timestamp", "log.level", "message", "ecs.version", "event.kind", "event.category",
                          "event.type", "event.action"})
    EXPECT_TRUE(line.contains(key)) << key;
  EXPECT_TRUE(kinds.contains(line["event.kind"]));
  for (const std::string category : line["event.category"]) EXPECT_TRUE(categories.contains(category)) << category;
  for (const std::string type : line["event.type"]) EXPECT_TRUE(types.contains(type)) << type;
  if (line.contains("event.outcome"))
    EXPECT_THAT((std::set<std::string>{"success", "failure", "unknown"}), testing::Contains(line["event.outcome"]));
}

TEST(LogEcs, AMail) {
  const std::vector<std::string> to{"bob@example.com", "eve@example.com"};
  const std::vector<std::string> symbols{"dnsbl:zen(8)"};
  const json line = line_of(LogLevel::info, "transaction",
                            {{"id", "D25D5PC5XE42PC3G"},
                             {"tenant", "default"},
                             {"verdict", "reject"},
                             {"code", std::int64_t{550}},
                             {"because", "listed"},
                             {"ip", "203.0.113.9"},
                             {"rdns", "mail.example.org"},
                             {"helo", "x"},
                             {"from", "ann@example.org", true},
                             {"to", LogList(to), true},
                             {"tls", "TLSv1.3"},
                             {"symbols", LogList(symbols)},
                             {"score", 8.0},
                             {"ms", std::int64_t{12}},
                             {"rule", "zen"}});
  expect_ecs(line);
  EXPECT_EQ(line["@timestamp"], "2026-11-22T21:55:29.000Z");
  EXPECT_EQ(line["log.level"], "info");
  EXPECT_EQ(line["event.action"], "transaction");
  EXPECT_EQ(line["event.outcome"], "failure");
  EXPECT_EQ(line["event.code"], "550");
  EXPECT_EQ(line["event.reason"], "listed");
  EXPECT_EQ(line["event.duration"], 12'000'000);
  EXPECT_EQ(line["source.ip"], "203.0.113.9");
  EXPECT_EQ(line["source.domain"], "mail.example.org");
  EXPECT_EQ(line["email.from.address"], json({"ann@example.org"}));
  EXPECT_EQ(line["email.to.address"], json(to));
  EXPECT_EQ(line["tls.version"], "1.3");
  EXPECT_EQ(line["rule.name"], "zen");
  EXPECT_EQ(line["sallyport.verdict"], "reject");
  EXPECT_EQ(line["sallyport.helo"], "x");
  EXPECT_EQ(line["sallyport.symbols"], json(symbols));
  EXPECT_EQ(line["sallyport.score"], 8.0);
}

TEST(LogEcs, WhatHasNoValueIsLeftOut) {
  const json line = line_of(LogLevel::info, "connection",
                            {{"id", "X"},
                             {"verdict", "drop"},
                             {"ip", ""},
                             {"rdns", ""},
                             {"rule", ""},
                             {"code", std::int64_t{0}},
                             {"to", LogList()},
                             {"tls", "none"}});
  expect_ecs(line);
  for (const char* key : {"source.ip", "source.domain", "rule.name", "event.code", "email.to.address", "tls.version"})
    EXPECT_FALSE(line.contains(key)) << key;
  EXPECT_EQ(line["tls.established"], false);
}

TEST(LogEcs, OtherEvents) {
  for (const char* event :
       {"ready", "stopping", "stopped", "reloaded", "fault", "violation", "upstream", "list_read", "log_lost"}) {
    const json line =
        line_of(LogLevel::warning, event, {{"kind", "resource"}, {"detail", "no descriptor"}, {"ip", "192.0.2.1"}});
    expect_ecs(line);
  }
  const json fault = line_of(LogLevel::warning, "fault", {{"kind", "resource"}, {"detail", "no descriptor"}});
  EXPECT_EQ(fault["error.type"], "resource");
  EXPECT_EQ(fault["error.message"], "no descriptor");
}

TEST(LogEcs, TextOfStrangersStaysWithinItsFieldAndTheLineWithinItsBounds) {
  const std::string hostile = "\",\"source.ip\":\"192.0.2.99\n\xff" + std::string(5000, '"');
  std::vector<LogField> fields{{"ip", "203.0.113.9"}};
  for (int i = 0; i < 30; ++i) fields.push_back({"helo", hostile});
  std::string body;
  log_line::append_body(body, ecs, LogLevel::info, "transaction", fields);
  EXPECT_LE(body.size(), log_line::max_body_octets);
  const json line = json::parse(body);
  EXPECT_EQ(line["source.ip"], "203.0.113.9");
  EXPECT_EQ(line["sallyport.cut"], true);
}

TEST(LogEcs, CountsOfTheLogItself) {
  std::string line;
  log_line::append_lost_line(line, ecs, 7);
  const json lost = json::parse(line);
  expect_ecs(lost);
  EXPECT_EQ(lost["sallyport.lost"], 7);
}

}  // namespace
}  // namespace sallyport
