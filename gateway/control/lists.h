// What `sallyport lists` asks the daemon for: every DNS list of its configuration, with its state (protocol.h):
//
//   {"command":"lists"}   ->   {"ok":true,"lists":[{"list":"zen", ...}, ...]}
//
// Lists go by their public names: a zone may contain a customer's key.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/result.h"

namespace sallyport::control {

struct ListReport {
  // Whether the list is asked about the clients of one address family, or about names.
  struct Family {
    std::string state;       // "asked", "set aside", "failed its test", "no entries"
    std::int64_t since = 0;  // seconds since 1970
    std::string reason;      // of the state; of "asked", the last failure there was
    friend bool operator==(const Family&, const Family&) = default;
  };
  struct SelfTest {
    std::string mode;        // as configured: "auto", "on", "off"
    std::string result;      // "passed", "failed", "not yet"
    std::int64_t since = 0;  // seconds since 1970
    std::string reason;
    friend bool operator==(const SelfTest&, const SelfTest&) = default;
  };

  std::string list;
  std::vector<std::string> tenants;  // whose own it is; empty: it is asked for everybody
  // Of a list of addresses; of one of domains or hashes their states are empty.
  Family ipv4;
  Family ipv6;
  Family names;  // of a list of domains or hashes; else its state is empty
  SelfTest self_test;
  std::uint64_t questions = 0;  // that the list was to answer
  std::uint64_t hits = 0;       // clients, domains and hashes that were listed
  std::uint64_t faults = 0;     // questions without a usable answer
  friend bool operator==(const ListReport&, const ListReport&) = default;
};

using ListReports = std::vector<ListReport>;

std::string encode_lists(const ListReports& lists);
// The failure is the error the other side sent, or what is wrong with the line.
Result<ListReports> decode_lists(std::string_view line);
// The "lists" array alone, for other programs.
std::string lists_json(const ListReports& lists);

}  // namespace sallyport::control
