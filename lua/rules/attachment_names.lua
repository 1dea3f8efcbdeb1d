-- Refuses files that run when they are opened, by any of their names and by their content: a program that is called
-- "holiday.png" as well as a picture that is called "holiday.png.exe".
--
--   lists.ATTACHMENT_NAMES.entries = ["exe", "iso"]   -- other extensions than those below
local sp = require "sallyport"

local refused = {}
for _, ext in ipairs(sp.setting("ATTACHMENT_NAMES", {
  "ade", "adp", "appx", "appxbundle", "bat", "cab", "chm", "cmd", "com", "cpl", "dll", "exe", "hta", "img", "ins", "iso",
  "isp", "jar", "jnlp", "js", "jse", "lib", "library-ms", "lnk", "mde", "msc", "msi", "msix", "msp", "mst", "nsh", "one",
  "pif", "ps1", "ps1xml", "psc1", "reg", "scf", "scr", "sct", "settingcontent-ms", "shb", "sys", "url", "vb", "vbe", "vbs",
  "vhd", "vhdx", "vxd", "wsc", "wsf", "wsh", "xll",
})) do
  refused[ext:lower():gsub("^%.", "")] = true
end

sp.rule {
  name = "ATTACHMENT_NAMES",
  stage = "message",
  run = function(tx)
    for _, file in ipairs(tx.msg:files()) do
      -- `exts` has the extension of each name that some reader would show.
      for _, ext in ipairs(file.exts) do
        if refused[ext] then return sp.reject(550, "5.7.1", "Files of type ." .. ext .. " are not accepted") end
      end
      if file.real_type == "pe" or file.real_type == "lnk" then
        return sp.reject(550, "5.7.1", "Programs are not accepted, whatever they are called")
      end
    end
  end,
}
