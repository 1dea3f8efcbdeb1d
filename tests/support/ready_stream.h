// ReadyStream: a peer that is faster than anybody: what it has to say is there whenever it is asked for, and what is
// written it takes at once. So nothing but the gateway itself ends its turn. OctetsByTurn counts what moves in each
// turn of the loop.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "gateway/async/scheduler.h"
#include "gateway/base/ensure.h"
#include "gateway/io/stream.h"

namespace sallyport::support {

class OctetsByTurn {
 public:
  explicit OctetsByTurn(const async::Scheduler& scheduler) : scheduler_(scheduler) {}
  void add(std::size_t octets) { octets_[scheduler_.turn()] += octets; }
  std::size_t most() const {
    std::size_t most = 0;
    for (const auto& [turn, octets] : octets_) most = std::max(most, octets);
    return most;
  }
  std::size_t total() const {
    std::size_t total = 0;
    for (const auto& [turn, octets] : octets_) total += octets;
    return total;
  }

 private:
  const async::Scheduler& scheduler_;
  std::map<std::uint64_t, std::size_t> octets_;
};

class ReadyStream final : public io::Stream {
 public:
  // What is said once `after` has been heard since the last step.
  struct Step {
    std::string after;
    std::string say;
  };
  // Says each step in its turn, and ends then. Both counts outlive it.
  ReadyStream(std::deque<Step> steps, OctetsByTurn& read, OctetsByTurn& written)
      : steps_(std::move(steps)), read_(read), written_(written) {
    go_on();
  }

  std::string_view input() const override { return std::string_view(said_).substr(at_, in_block_); }
  void consume(std::size_t octets) override {
    ensure(octets <= in_block_, "ReadyStream: more consumed than has arrived");
    read_.add(octets);
    at_ += octets;
    in_block_ -= octets;
  }
  Task<Result<Done, io::Error>> fill(Time) override {
    const std::size_t before = in_block_;
    in_block_ = std::min(said_.size() - at_, io::block_octets);
    if (in_block_ == before) co_return io::Error::closed;
    co_return Done{};
  }
  Task<Result<Done, io::Error>> write(std::string_view octets, Time) override {
    hear(octets);
    co_return Done{};
  }
  Task<Result<Done, io::Error>> write_parts(std::span<const std::string_view> parts, Time) override {
    for (std::string_view part : parts) hear(part);
    co_return Done{};
  }
  bool is_open() const override { return !closed_; }
  bool is_broken() const override { return !is_open(); }
  void close() override { closed_ = true; }
  void abort() override { closed_ = true; }

 private:
  void hear(std::string_view octets) {
    written_.add(octets.size());
    heard_ += octets;
    go_on();
  }
  void go_on() {
    while (!steps_.empty() && heard_.find(steps_.front().after) != std::string::npos) {
      heard_.clear();
      said_.erase(0, at_);
      at_ = 0;
      said_ += steps_.front().say;
      steps_.pop_front();
    }
  }

  std::deque<Step> steps_;
  OctetsByTurn& read_;
  OctetsByTurn& written_;
  std::string said_;
  std::size_t at_ = 0;        // what is before it is consumed
  std::size_t in_block_ = 0;  // has arrived
  std::string heard_;
  bool closed_ = false;
};

}  // namespace sallyport::support
