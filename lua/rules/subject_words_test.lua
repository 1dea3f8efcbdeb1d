local t = require "sallyport.test"

local function run(subject) return t.run("SUBJECT_WORDS", t.mail { headers = { Subject = subject } }) end

t.test("finds words, also when they are spaced out", function()
  t.equal(run("Cheap V1agra here").detail, "pharmacy")
  t.equal(run("buy v i a g r a now").detail, "pharmacy")
  t.equal(run("You won: LOTTERY winner of 5 million dollars").score, 5)
end)

t.test("leaves other subjects alone", function()
  t.equal(run("Minutes of Monday").verdict, "none")
  t.equal(run("Specialist wanted").verdict, "none")
end)
