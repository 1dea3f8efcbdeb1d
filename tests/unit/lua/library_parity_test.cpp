// Our string and table functions against Lua's own: the same answers, and the same complaints, on everything.
#include <gtest/gtest.h>

#include "lua/engine/context.h"
#include "lua/engine/libraries.h"
#include "lua/engine/lua_api.h"

namespace sallyport::lua {
namespace {

// A plain state with Lua's libraries, in which `own` has ours.
class LibraryParity : public testing::Test {
 protected:
  LibraryParity() : L(lua_newstate(Meter::allocate, &context.meter)) {
    context.attach(L);
    context.meter.start(L, {std::chrono::hours(1), 1u << 30, 1u << 30});
    luaL_openlibs(L);
    lua_newtable(L);
    push_string_library(L);
    lua_setfield(L, -2, "string");
    push_table_library(L);
    lua_setfield(L, -2, "table");
    push_coroutine_library(L);
    lua_setfield(L, -2, "coroutine");
    add_base_functions(L);
    lua_setglobal(L, "own");
    run(R"lua(
      function same(what, a, b, ...)
        local x, y = table.pack(pcall(a, ...)), table.pack(pcall(b, ...))
        local function text(t)
          local parts = {}
          for i = 1, t.n do parts[i] = math.type(t[i]) == 'float' and ('%q'):format(t[i]) or tostring(t[i]) end
          return table.concat(parts, ' | ')
        end
        -- Messages name the function by how it was called, and the place.
        local function plain(s) return (s:gsub("bad argument #%d+ to '[^']*'", "bad argument"):gsub('^false | %S+:%d+: ', 'false | ')) end
        if plain(text(x)) ~= plain(text(y)) then
          local args = {}
          for i, v in ipairs{...} do args[i] = type(v) == 'string' and ('%q'):format(v) or tostring(v) end
          error(what .. '(' .. table.concat(args, ', ') .. '): Lua gives ' .. text(x) .. ', we give ' .. text(y), 0)
        end
      end
      function all(iterator, ...)
        local found = {}
        for a, b in iterator(...) do found[#found + 1] = tostring(a) .. ',' .. tostring(b) end
        return table.concat(found, ';')
      end
      function same_match(s, p, init)
        for _, f in ipairs { 'find', 'match' } do same(f, string[f], own.string[f], s, p, init) end
        same('gmatch', function(...) return all(string.gmatch, ...) end, function(...) return all(own.string.gmatch, ...) end, s, p, init)
        for _, r in ipairs { '<%0>', '%1', '%2', '%%', '%', '%a', { a = 'A', b = false }, function(a, b) return b or a end, function() end } do
          same('gsub', string.gsub, own.string.gsub, s, p, r, init)
        end
      end
    )lua");
  }
  ~LibraryParity() override { lua_close(L); }

  void run(const char* script) {
    if (luaL_dostring(L, script) != LUA_OK) {
      ADD_FAILURE() << lua_tostring(L, -1);
      lua_settop(L, 0);
    }
  }

  Context context;
  lua_State* L;
};

TEST_F(LibraryParity, PatternsOfEveryKind) {
  run(R"lua(
    local subjects = { '', 'a', 'aa', 'ab', 'abc', 'aab', 'hello world', 'key = value', '  x  ', '(a(b)c)', 'THE (quick) fox',
      'a.b', '%d', '[x]', 'a-z', 'x\0y', '\255\128', 'one;two;;four', '2026-11-22', 'aaaaaaaaab', "it's \"quoted\"", 'ü' }
    local patterns = { '', 'a', '.', '.*', '.-', '.+', '.?', 'a*', 'a+', 'a-', 'a?', 'a*b', 'a-b', '^a', '^', '$', 'a$', '^a$', 'a^', '$a',
      '%a+', '%A+', '%d+', '%s+', '%S+', '%w+', '%W', '%p', '%l+', '%u+', '%c', '%x+', '%g+', '%z', '%%', '%.', '%-',
      '[abc]', '[^abc]', '[a-c]+', '[^a-c]+', '[]]', '[^]]', '[]-a]', '[a-]', '[-a]', '[%a_]+', '[%]]', '[a-%%]', '[%w-]', '[.]',
      '()', '()a()', '(a)', '((a)(b))', '(a*)(b*)', '(.)(.)', '(.)%1', '(a)(b)%2', '^(%w+)%s*=%s*(%w+)$', '%b()', '%b""', '%b', '%bx',
      '%f[%w]%w+', '%f[%W]', '%f[%a]', '%f', '%fa', '%f[^%z]', '(%d+)-(%d+)-(%d+)', '(.-);', '([^;]*)', '\0', '[\0]', '[\128-\255]',
      '(', ')', '(a', 'a)', '(()', '%', 'a%', '[', '[a', '[^', '[%', '[a-', '[]', '%1', '%2', '%0', '(a)%2', '(%1)', '*', '+', '-', '?', '**' }
    for _, s in ipairs(subjects) do
      for _, p in ipairs(patterns) do
        for _, init in ipairs { 1, 2, -1, 0, 100, -100 } do same_match(s, p, init) end
        same('plain', string.find, own.string.find, s, p, 1, true)
        same('plain', string.find, own.string.find, s, p, 2, true)
      end
    end
  )lua");
}

TEST_F(LibraryParity, RandomPatterns) {
  run(R"lua(
    math.randomseed(20261122)
    local pieces = { 'a', 'b', '.', '%a', '%d', '[ab]', '[^a]', '(', ')', '()', '*', '+', '-', '?', '^', '$', '%1', '%b()', '%f[a]', '[a-c]' }
    local letters = { 'a', 'b', 'c', '1', '(', ')' }
    local function random(from, most)
      local t = {}
      for i = 1, math.random(0, most) do t[i] = from[math.random(#from)] end
      return table.concat(t)
    end
    for i = 1, 5000 do same_match(random(letters, 8), random(pieces, 6), math.random(-3, 4)) end
  )lua");
}

TEST_F(LibraryParity, Repetition) {
  run(R"lua(
    for _, n in ipairs { -1, 0, 1, 2, 3, 7, 8, 100 } do
      for _, s in ipairs { '', 'x', 'abc' } do
        for _, sep in ipairs { '', ',', ', ' } do same('rep', string.rep, own.string.rep, s, n, sep) end
      end
    end
    same('rep', string.rep, own.string.rep, 'x')
    same('rep', string.rep, own.string.rep, {}, 1)
    same('rep', string.rep, own.string.rep, 12, 3)
  )lua");
}

TEST_F(LibraryParity, Substitution) {
  run(R"lua(
    same('gsub', string.gsub, own.string.gsub, 'abc', '%w', '%0%0', 2)
    same('gsub', string.gsub, own.string.gsub, 'abc', '%w', 7)
    same('gsub', string.gsub, own.string.gsub, 'abc', '', '-')
    same('gsub', string.gsub, own.string.gsub, 'abc', 'b', function() return {} end)
    same('gsub', string.gsub, own.string.gsub, 'abc', 'b', true)
    same('gsub', string.gsub, own.string.gsub, 'hello world', '(o)(.)', '%2%1')
    same('gsub', string.gsub, own.string.gsub, 'abc', '()', '%1')
    same('gsub', string.gsub, own.string.gsub, 'abc', 'b', function() error 'x' end)
    same('gsub', string.gsub, own.string.gsub, 'abc def', '^%w+', 'x')
    same('gsub', string.gsub, own.string.gsub, 'abc', 'x*', '-')
    same('gsub', string.gsub, own.string.gsub, 'abc', 'b', '', 0)
  )lua");
}

// Texts of numbers count as numbers; the metatable of strings has nothing else of Lua's own library.
TEST_F(LibraryParity, Arithmetic) {
  run(R"lua(
    local operations = {
      function(a, b) return a + b end, function(a, b) return a - b end, function(a, b) return a * b end,
      function(a, b) return a / b end, function(a, b) return a % b end, function(a, b) return a ^ b end,
      function(a, b) return a // b end, function(a, b) return -a end,
    }
    local values = { '7', ' 0x10 ', '2.5', '1e3', '', 'x', '7x', 3, 2.5, {}, false }
    lua_gives = {}
    function each_result(take)
      for _, operation in ipairs(operations) do
        for _, a in ipairs(values) do
          for _, b in ipairs(values) do take(pcall(operation, a, b)) end
        end
      end
    end
    each_result(function(...) lua_gives[#lua_gives + 1] = table.pack(...) end)
  )lua");
  lua_getglobal(L, "own");
  lua_getfield(L, -1, "string");
  set_string_metatable(L);
  lua_pop(L, 1);
  run(R"lua(
    local i = 0
    each_result(function(ok, value)
      i = i + 1
      local expected = lua_gives[i]
      assert(ok == expected[1] and (value == expected[2] or value ~= value), i)
    end)
    assert(i == 8 * 11 * 11 and ('x').dump == nil and ('x').rep == own.string.rep and getmetatable('') == false)
  )lua");
}

TEST_F(LibraryParity, Tables) {
  run(R"lua(
    local function changed(f)
      return function(t, ...)
        local copy = table.move(t, 1, 8, 1, {})
        local results = table.pack(f(copy, ...))
        local parts = {}
        for i = 1, 12 do parts[i] = tostring(copy[i]) end
        for i = 1, results.n do parts[#parts + 1] = results[i] == copy and 'itself' or tostring(results[i]) end
        return table.concat(parts, ' ')
      end
    end
    local lists = { {}, { 1 }, { 1, 2, 3 }, { 5, 3, 9, 1, 3 }, { 'b', 'a', 'c' } }
    for _, t in ipairs(lists) do
      for _, f in ipairs { 'insert', 'remove', 'concat', 'unpack', 'sort', 'move' } do
        local a, b = changed(table[f]), changed(own.table[f])
        if f ~= 'sort' then
          same(f, a, b, t)
          for _, i in ipairs { -1, 0, 1, 2, 3, 4, 5, 6, math.mininteger, math.maxinteger } do
            if not (f == 'unpack' and math.type(i) and i < -1) then same(f, a, b, t, i) end
            if f == 'insert' then same(f, a, b, t, i, 'x') end
          end
        else
          same(f, a, b, t)
          same(f, a, b, t, function(x, y) return tostring(x) > tostring(y) end)
        end
        same(f, a, b, t, 'x')
        same(f, a, b, t, {})
      end
      for from = 1, 4 do
        for to = 1, 4 do
          same('concat', table.concat, own.table.concat, t, ',', from, to)
          same('unpack', changed(table.unpack), changed(own.table.unpack), t, from, to)
          for at = 1, 5 do same('move', changed(table.move), changed(own.table.move), t, from, to, at) end
        end
      end
    end
    same('concat', table.concat, own.table.concat, { 1, {}, 3 })
    same('concat', table.concat, own.table.concat, { 1, 2 }, ', ', math.maxinteger, math.maxinteger)
    same('unpack', table.unpack, own.table.unpack, {}, 1, 1e8)
    same('move', table.move, own.table.move, {}, -1, math.maxinteger, 2)
    same('move', table.move, own.table.move, {}, 1, math.maxinteger, 2)
    same('pack', function(...) return table.pack(...).n end, function(...) return own.table.pack(...).n end, nil, nil)
    assert(not pcall(own.table.sort, { 1, 'x' }))
    for _, n in ipairs { 0, 1, 2, 3, 10, 1000 } do
      local t = {}
      for i = 1, n do t[i] = math.random(n) end
      same('sort', changed(table.sort), changed(own.table.sort), t)
      own.table.sort(t, function(a, b) return a > b end)
      for i = 2, n do assert(t[i - 1] >= t[i]) end
    end
  )lua");
}

TEST_F(LibraryParity, ProtectedCalls) {
  run(R"lua(
    local function fail() error('bad', 0) end
    local function thrower() error({ code = 1 }) end
    for _, f in ipairs { function() return 1, nil, 3 end, fail, function() end, 'no function' } do
      same('pcall', pcall, own.pcall, f)
      same('pcall', pcall, own.pcall, pcall, f)
      same('xpcall', xpcall, own.xpcall, f, function(e) return 'handled ' .. tostring(e) end)
      same('xpcall', xpcall, own.xpcall, f, function() return nil end, 1, 2)
    end
    same('pcall', function() return select('#', pcall(thrower)) end, function() return select('#', own.pcall(thrower)) end)
    same('pcall', pcall, own.pcall)
    same('xpcall', xpcall, own.xpcall, fail)
    same('xpcall', xpcall, own.xpcall, select, print, '#', 1, 2, 3)
    -- An error in the handler: Lua tries the handler again and gives up; we give its error.
    assert(select('#', own.xpcall(fail, fail)) == 2 and own.xpcall(fail, fail) == false)
    -- Yielding across both.
    local function steps(p)
      local c = coroutine.wrap(function() return p(function(...) local x = coroutine.yield(...) error(x, 0) end, 1, 2) end)
      local first = table.pack(c())
      return first[1], first[2], c('later')
    end
    same('yield', steps, steps, pcall)
    same('yield', function() return steps(pcall) end, function() return steps(own.pcall) end)
    local function with_handler(x) return function(f, ...) return x(f, function(e) return coroutine.yield(e) or e end, ...) end end
    assert(own.xpcall(error, function(e) return e .. '!' end, 'x') == false)
    local c = coroutine.wrap(function() return own.xpcall(error, function(e) return coroutine.yield(e) end, 'x') end)
    assert(c() == 'x')
    assert(select(2, c('y')) == 'y')
  )lua");
}

TEST_F(LibraryParity, Coroutines) {
  run(R"lua(
    for _, lib in ipairs { coroutine, own.coroutine } do
      local log = {}
      local function note(...) log[#log + 1] = table.concat({ ... }, ',') end
      local c = lib.create(function(a, b)
        note('start', a, b)
        local x <close> = setmetatable({}, { __close = function(_, e) note('closed', tostring(e)) end })
        note('got', lib.yield('y1', 'y2'))
        error('failed', 0)
      end)
      note(lib.status(c))
      note(tostring(select(2, lib.resume(c, 1, 2))))
      note(lib.status(c))
      note(tostring(select(2, lib.resume(c, 'more'))))
      note(lib.status(c), tostring(lib.resume(c)))
      note(tostring(select(2, lib.close(c))))
      note(tostring(lib.close(lib.create(print))))
      note(tostring(pcall(lib.close, lib.running())))
      local w = lib.wrap(function(...) for i = 1, select('#', ...) do lib.yield((select(i, ...))) end end)
      note(w('p', 'q'), w(), tostring((w())))
      note(tostring(pcall(w)))
      note(tostring(select(2, pcall(lib.wrap(function() error('out', 0) end)))))
      note(tostring(select(2, pcall(lib.wrap(function() error({}) end)))):sub(1, 6))
      note(tostring(pcall(lib.resume, 'x')), tostring(pcall(lib.create, 'x')))
      local text = table.concat(log, '\n')
      if lib == coroutine then expected = text elseif text ~= expected then error('Lua:\n' .. expected .. '\nwe:\n' .. text, 0) end
    end
  )lua");
}

}  // namespace
}  // namespace sallyport::lua
