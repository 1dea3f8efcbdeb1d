local t = require "sallyport.test"

-- A mail with one attached file.
local function mail(name, content)
  return t.mail { headers = { ["MIME-Version"] = "1.0", ["Content-Type"] = "multipart/mixed; boundary=b" },
    body = '--b\r\nContent-Type: application/octet-stream; name="' .. name .. '"\r\n\r\n' .. content .. "\r\n--b--\r\n" }
end

t.test("refuses programs by any of their names", function()
  for _, name in ipairs { "run.exe", "RUN.EXE", "invoice.pdf.scr", "a.lnk", "disk.iso" } do
    local result = t.run("ATTACHMENT_NAMES", mail(name, "x"))
    t.equal(result.verdict, "reject", name)
    t.equal(result.code, 550)
  end
end)

t.test("refuses programs by their content", function()
  local program = "MZ" .. ("\0"):rep(58) .. "\x40\0\0\0PE\0\0" .. ("\0"):rep(100)
  t.equal(t.run("ATTACHMENT_NAMES", mail("holiday.png", program)).verdict, "reject")
end)

t.test("leaves documents alone", function()
  for _, name in ipairs { "report.pdf", "exe.txt", "notes.docx" } do
    t.equal(t.run("ATTACHMENT_NAMES", mail(name, "x")).verdict, "none", name)
  end
  t.equal(t.run("ATTACHMENT_NAMES", t.mail { body = "the file run.exe is not attached" }).verdict, "none")
end)
