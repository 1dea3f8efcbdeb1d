#include "gateway/uv/socket_table.h"

#include <gtest/gtest.h>

#include <string>

namespace sallyport::uv {
namespace {

using State = SocketRow::State;

std::string row(const std::string& local, const std::string& state) {
  return "  12: " + local + " 0200007F:C350 " + state +
         " 00000000:00000000 01:00000063 00000001    33        0 4711 1 0000";
}

TEST(SocketTable, ReadsARow) {
  const auto v4 = read_socket_row(row("0100007F:0019", "03"));
  ASSERT_TRUE(v4);
  EXPECT_EQ(v4->local, SocketAddress::parse("127.0.0.1:25"));
  EXPECT_EQ(v4->state, State::handshake);
  EXPECT_EQ(v4->uid, 33u);
  EXPECT_EQ(v4->inode, 4711u);
  const auto v6 = read_socket_row(row("B80D0120000000000000000001000000:FFFF", "0A"));
  ASSERT_TRUE(v6);
  EXPECT_EQ(v6->local, SocketAddress::parse("[2001:db8::1]:65535"));
  EXPECT_EQ(v6->state, State::listening);
  // of a socket that serves both families
  EXPECT_EQ(read_socket_row(row("0000000000000000FFFF00000100007F:0019", "01"))->local,
            SocketAddress::parse("127.0.0.1:25"));
  EXPECT_EQ(read_socket_row(row("0100007F:0019", "01"))->state, State::other);
}

TEST(SocketTable, WhatIsNoRowIsNone) {
  for (const std::string line :
       {"", "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode",
        "1: 0100007F 0200007F:C350 03", "1: 0100007G:0019 0200007F:C350 03 0:0 0:0 0 0 0 1",
        "1: 0100007F:10019 0200007F:C350 03 0:0 0:0 0 0 0 1", "1: 0100007F:0019 0200007F:C350 03 0:0"})
    EXPECT_FALSE(read_socket_row(line)) << line;
}

}  // namespace
}  // namespace sallyport::uv
