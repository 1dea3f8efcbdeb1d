---@meta sallyport
-- For editors with the Lua language server; written by `sallyport rule stubs`. It is not read by the gateway.

---The mail in progress, the argument of a rule's `run`. It can be read, not changed; a field that does not exist is an error, so that a misspelt one is found.
---@class sallyport.tx
---@field id string The id of the transaction, as in the log and in replies.
---@field tenant string? The tenant's name; nil before a recipient has told it, where there are several tenants.
---@field now integer When the mail began, in seconds since 1970: `os.date("!%H", tx.now)`.
---@field score number The sum of the scores that earlier stages have given.
---@field outcome string? At stage `done`: what became of the mail: `"relay"`, `"tag"`, `"reject"`, `"tempfail"`, `"quarantine"`, `"discard"`, `"drop"`; before that nil.
---@field client sallyport.tx.client Who connected.
---@field auth sallyport.tx.auth What the checks of the sender came to.
---@field from sallyport.address? The envelope sender; nil before MAIL. The null sender has `addr == ""`.
---@field rcpt sallyport.address? At stage `rcpt`: the recipient that is asked for; after it: the first of `rcpts`; before it nil.
---@field rcpts sallyport.address[] The recipients that have been accepted.
---@field msg sallyport.tx.msg? From stage `headers` on: the message; before that nil.
local tx = {}

---The client.
---@class sallyport.tx.client
---@field ip string The address.
---@field port integer The port.
---@field helo string? What it called itself; nil before EHLO or HELO.
---@field rdns string? Its name by reverse DNS; nil while it is not known or not confirmed.
---@field fcrdns boolean True when the reverse name was confirmed.
---@field tls sallyport.tx.client.tls? How the connection is encrypted; nil: it is not.
local tx_client = {}

---The encryption of the client's connection.
---@class sallyport.tx.client.tls
---@field version string `"TLSv1.3"`.
---@field cipher string The cipher suite.
---@field bits integer The length of its key.
---@field verified boolean True when the client has shown a certificate that verifies, where `client_cert` asks for one.
---@field subject string? The subject of the client's certificate; a mere claim unless `verified`.
local tx_client_tls = {}

---`"pass"`, `"fail"`, `"softfail"`, `"none"`, `"temperror"` ...; nil where the check was not made. Complete at stage `message`.
---@class sallyport.tx.auth
---@field spf string? Of SPF; from stage `rcpt` on.
---@field dkim string? Of the DKIM signatures.
---@field dmarc string? Of DMARC.
---@field arc string? Of the ARC chain.
local tx_auth = {}

---The message.
---@class sallyport.tx.msg
---@field subject string? The subject, decoded; nil where there is none.
---@field subject_problem string? What could not be decoded of it, in words.
---@field from sallyport.address? The first address of the From field.
---@field to sallyport.address? The first address of the To field.
---@field size integer The length of the message in octets.
---@field unscannable string? Why not all parts could be found: `depth`, `parts`, `header`, `memory`, `work`, `tnef`, `smime`, `storage`; nil: all were. From stage `message` on.
local tx_msg = {}

---The first field of that name, unfolded and decoded.
---@param name string Any case.
---@return string? value # nil: there is no such field
function tx_msg:header(name) end

---All fields of that name, unfolded and decoded.
---@param name string Any case.
---@return string[] values
function tx_msg:headers(name) end

---The addresses in all fields of that name, with their display names; the first 1000.
---@param name string Such as `"To"`; any case.
---@return sallyport.address[] addresses
function tx_msg:addresses(name) end

---What could not be decoded of the first field of that name.
---@param name string Any case.
---@return string? problem # in words; nil: nothing, or no such field
function tx_msg:header_problem(name) end

---The text that a reader sees, as UTF-8: of all parts that are text and no attachments, of HTML what is shown, of alternatives each; at most 128 KiB. From stage `message` on.
---@return string text
function tx_msg:text() end

---The source of the HTML that a reader sees, as UTF-8, as `text`.
---@return string? html # nil: there is none
function tx_msg:html() end

---The URLs in texts, links, forms and pictures, in the attachments that are text, and in the fields Subject, From, Reply-To, Sender and List-Unsubscribe; each once, at most 1000, redirectors beside what they lead to. From stage `message` on.
---@param options? { max?: integer, addresses?: boolean }
---@return sallyport.url[] urls # as they were found
function tx_msg:urls(options) end

---The registrable domains of the URLs, each once, the most suspicious first: links that show another domain than they lead to, hosts written to deceive, forms, links, texts, header fields, pictures.
---@param options? { max?: integer, addresses?: boolean }
---@return string[] domains
function tx_msg:url_domains(options) end

---What people call attachments, under every plausible reading of the mail: parts that have a name, or say that they are attachments, or are no text. Also files within text (uuencode) and within attached messages and envelopes (winmail.dat). From stage `message` on.
---@param options? { depth?: integer }
---@return sallyport.part[] files
function tx_msg:files(options) end

---All parts, the message itself first, containers and other readings of the same octets included. From stage `message` on.
---@return sallyport.part[] parts
function tx_msg:parts() end

---Adds a field on top, if this run ends well and its rule is enforced; not one that readers or servers act upon.
---@param name string As it is to be written.
---@param value string In UTF-8; what is not ASCII is sent as encoded words.
function tx_msg:add_header(name, value) end

---Gives fields another value, as `add_header` does: the first in its place, without the others of that name; or the n-th. Where there is none, it is added. The subject, too, may have another value.
---@param name string Any case.
---@param value string In UTF-8; what is not ASCII is sent as encoded words.
---@param n? integer Which of them as they came, 1 being the topmost; all, where it is left out.
function tx_msg:replace_header(name, value, n) end

---Removes fields, as `add_header` adds them.
---@param name string Any case.
---@param n? integer Which of them as they came, 1 being the topmost; all, where it is left out.
function tx_msg:remove_header(name, n) end

---A part of the message, from stage `message` on: what it is said to be, and what it is.
---@class sallyport.part
---@field name string? The name that its sender gave it, decoded, whatever is in it; the first where there are several; nil: none.
---@field names string[] All names under which some reader of the mail would show it.
---@field ext string? The extension under which it is opened, in lower case without the dot; where readers disagree about the name, that of a program if there is one.
---@field exts string[] All such extensions.
---@field declared_type string? What it is said to be: `"application/pdf"`.
---@field charset string? The charset that is declared; of an alternate part, the one in which other readers take it.
---@field real_type string? What it is by its content: `pe`, `zip`, `pdf`, `html`, `text` ...; the first where it is several; nil: none that is known.
---@field real_types string[] All that it is by its content.
---@field size integer Octets of its content, decoded.
---@field sha256 string The digest of its content, decoded, in hexadecimal.
---@field encrypted boolean True when it is encrypted.
---@field is_archive boolean True for archives, compressed files and images of disks, by its content.
---@field is_program boolean True for programs, scripts, and what starts them, by its content.
---@field is_attachment boolean True when it says so itself (`Content-Disposition: attachment`).
---@field is_container boolean True when its content is other parts.
---@field is_alternate boolean True for octets that another part holds, too, which some readers take differently.
---@field depth integer How deep in the mail it stands; 0: the mail itself.
---@field oddities string[] What is unusual about it: `bad_base64`, `type_mismatch`, `conflicting_name`, `deceptive_name` ...
local part = {}

---The first octets of its content, decoded; fewer where there are not so many, and where so much has been read of this mail's parts that the work for it is used up.
---@param n integer How many.
---@return string? octets
---@return string? err # `storage`: the mail cannot be read back
function part:bytes(n) end

---The text that a reader sees of it, as UTF-8: of HTML what is shown.
---@return string? text # nil: it is no text
function part:text() end

---A URL of the message, in one form whatever form it was written in.
---@class sallyport.url
---@field url string The whole URL in its one form: printable ASCII. `tostring` gives it, too.
---@field scheme string `"http"`, `"https"`, `"ftp"`, `"ftps"`, `"mailto"`.
---@field host string In lower case, as A-labels.
---@field domain string? The registrable domain of the host; nil for an address, and for a name that has none.
---@field port integer? Where it is not the scheme's own.
---@field path string Path, query and fragment.
---@field user string? What stands before the host and `@`; of a mail address what stands before its `@`.
---@field is_ip boolean True when the host is an address.
---@field place string Where it was found: `form`, `link`, `text`, `resource` (pictures and the like), `header`.
---@field shown string? The text that a link shows, at most 256 octets.
---@field shows_other boolean True when that text names another domain than the link leads to.
---@field within string? The URL that leads to this one, such as that of a redirector.
---@field tricks string[] What is unusual about the way it was written: `no_scheme`, `defanged`, `userinfo`, `slashes`, `spaces`, `encoded`, `invisible`, `letters`, `ip`, `idn`, `odd_host`, `cut`.
local url = {}

---An address. `tostring` gives `addr`. It is not a string: compare `tx.from.addr == "ann@example.org"`.
---@class sallyport.address
---@field addr string The whole address, without a display name; `""` for the null sender.
---@field user string What stands before the last `@`, as written.
---@field domain string What stands after it, in lower case; `""` where there is none.
---@field org_domain string The domain that somebody has registered, by the public suffix list: of `mail.example.co.uk` it is `example.co.uk`; the whole domain where it is none that can be registered.
---@field name string? The display name, decoded; nil where there is none, as in the envelope.
local address = {}

---A compiled regular expression.
---@class sallyport.re
local re = {}

---Whether the expression matches anywhere in the text.
---@param text string What is searched.
---@return boolean found
function re:test(text) end

---The captures of the first match, or the whole match where the expression has none.
---@param text string What is searched.
---@return string? capture # nil: no match
---@return string? ...
function re:match(text) end

---Where the first match begins and ends, then its captures.
---@param text string What is searched.
---@return integer? first # nil: no match
---@return integer? last
---@return string? ...
function re:find(text) end

---Regular expressions that are searched for together.
---@class sallyport.re_set
local re_set = {}

---Whether one of the expressions matches anywhere in the text.
---@param text string What is searched.
---@return boolean found
function re_set:test(text) end

---Which expressions match anywhere in the text.
---@param text string What is searched.
---@return integer[]? numbers # their places in the list, ascending; nil: none
function re_set:match(text) end

---A set of networks.
---@class sallyport.net
local net = {}

---Whether the address is in one of the networks.
---@param ip string Such as `tx.client.ip`.
---@return boolean found
function net:contains(ip) end

---A list in a file, or of a web server.
---@class sallyport.list
---@field size integer How many entries it has now.
---@field kind string What it has: `"domain"`, `"address"`, `"network"` or `"word"`.
---@field loaded boolean False: a list of a web server that has given none yet; it is empty.
local list = {}

---Whether the list has it: a domain or one above it, an address in any case, an IP address in one of the networks, a word in any case. What is no domain or address is in no list.
---@param what string Such as `tx.from.domain`.
---@return boolean found
function list:contains(what) end

---What `sp.hit`, `sp.reject` and the like give; it has no fields.
---@class sallyport.verdict
local verdict = {}

---@class sallyport
local sp = {}

---Declares a rule; only while a file loads.
---@param rule { name: string, stage: "connect"|"helo"|"mail"|"rcpt"|"headers"|"message"|"done", run: fun(tx: sallyport.tx): sallyport.verdict|boolean|nil, score?: number, mode?: "enforce"|"shadow"|"off"|string, group?: string, on_error?: "tempfail"|"skip" }
function sp.rule(rule) end

---What the configuration says to a rule: the entries of `policy.rules.lists.NAME`. Only while a file loads.
---@param name string Such as the rule's name.
---@param otherwise? string[] What it gives where the configuration says nothing; else an empty list.
---@return string[] entries
function sp.setting(name, otherwise) end

---Adds to the mail's score.
---@param options? { score?: number, detail?: string }
---@return sallyport.verdict verdict
function sp.hit(options) end

---Refuses the mail for good.
---@param code? integer The reply code; 550 where it is left out.
---@param dsn? string The enhanced status code, of class 5; `"5.7.1"`.
---@param text? string Of the reply; characters that are not ASCII become `?`.
---@return sallyport.verdict verdict
function sp.reject(code, dsn, text) end

---Refuses the mail for now. The code 421 ends the connection.
---@param code? integer The reply code; 451 where it is left out.
---@param dsn? string The enhanced status code, of class 4; `"4.7.1"`.
---@param text? string Of the reply; characters that are not ASCII become `?`.
---@return sallyport.verdict verdict
function sp.tempfail(code, dsn, text) end

---Ends the connection.
---@return sallyport.verdict verdict
function sp.drop() end

---Takes the mail and throws it away.
---@param options? { reason?: string }
---@return sallyport.verdict verdict
function sp.discard(options) end

---Sets the mail aside: as long as there is no quarantine, it is relayed with X-Sallyport-Quarantine.
---@param options? { reason?: string }
---@return sallyport.verdict verdict
function sp.quarantine(options) end

---Sends the mail to another upstream than its tenant's, if it is no other tenant's.
---@param options { upstream: string }
---@return sallyport.verdict verdict
function sp.redirect(options) end

---What a check says of this mail does no more than `to`. Scores stay, and nothing becomes stricter.
---@param options { check: string, to: string, reason?: string }
---@return sallyport.verdict verdict
function sp.override(options) end

---Lets the mail pass, marked. A field is at most 900 octets, and not one that readers or servers act upon.
---@param options? { header?: string|{ name: string, value: string }, subject_prefix?: string }
---@return sallyport.verdict verdict
function sp.tag(options) end

---Takes other checks out of the count for this mail.
---@param options? { skip?: string[] }
---@return sallyport.verdict verdict
function sp.accept(options) end

---Compiles a regular expression in RE2's syntax: no back references, and no text that makes it hang. Compile at the top of the file: a run may compile 16. The larger a pattern is, the shorter the text that it may search (60 KB for a hundred instructions, which is a dozen words).
---@param pattern string The expression.
---@param flags? string `"i"`: the case of letters does not matter.
---@return sallyport.re re
function sp.re(pattern, flags) end

---Compiles up to 2000 regular expressions that are searched for together: those that need a text of three letters or more cost next to nothing where it is not there. Compile at the top of the file.
---@param patterns string[] The expressions, as of `sp.re`.
---@param flags? string `"i"`: the case of letters does not matter.
---@return sallyport.re_set set
function sp.re_set(patterns, flags) end

---Calls the function for each item, all calls beside each other. Items that are there twice are taken once; at most 32 calls wait at a time.
---@param items any[] What to look at.
---@param fn fun(item: any): any, any What to do with one; gives a value, or nil and an error.
---@return table<any, any> values # by item: what the function gave, where that was not nil
---@return table<any, any>? errors # by item: the errors; nil: there were none
function sp.each(items, fn) end

---Calls the functions of a table beside each other.
---@param functions table<any, fun(): any, any> The functions, with any keys; at most 1000.
---@return table<any, any> values # by key: what each gave, where that was not nil
---@return table<any, any>? errors # by key: the errors; nil: there were none
function sp.all(functions) end

---A set of networks; make it at the top of the file.
---@param networks string[] Such as `"192.0.2.0/24"` and `"2001:db8::/32"`; an address is a network of its own.
---@return sallyport.net net
function sp.net(networks) end

---Counts one, and says whether that is within the rate. `"10/1h"`: ten at once, and one more for each six minutes; `"10/1h burst 3"`: three at once. What is not within it is not counted.
---@param name string Of what is remembered, such as `"senders"`; all rules share it.
---@param key string Whom or what it is about, such as `tx.from.addr`.
---@param rate string Such as `"10/1h"`.
---@return boolean within # false: it is too much
---@return integer? seconds # when it is too much: until the next is within it
function sp.rate(name, key, rate) end

---Whether this was seen before, within `keep` of the last time; from now on it is.
---@param name string Of what is remembered, such as `"senders"`; all rules share it.
---@param key string Whom or what it is about, such as `tx.from.addr`.
---@param keep string|number How long: seconds, or a text such as `"30d"`; 366 days at most.
---@return boolean known
---@return integer? seconds # when known: since it was seen first
function sp.seen(name, key, keep) end

---The value that the function gave for this key, within `keep`; else what it gives now, which is kept unless it is nil. It is kept as JSON of at most 16384 octets, and is what that comes to the first time, too.
---@param name string Of what is remembered, such as `"senders"`; all rules share it.
---@param key string Whom or what it is about, such as `tx.from.addr`.
---@param keep string|number How long: seconds, or a text such as `"30d"`; 366 days at most.
---@param fn fun(): any, any Finds it out; gives a value, or nil and an error.
---@return any value
---@return any err # of the function
function sp.memo(name, key, keep, fn) end

---Writes a line `event=rule` with the text, the rule and the mail into the log. All rules together may write 20 lines for one mail, and a rule 60 in a minute; further ones are dropped. Of those that were too many in a minute the rule's next line says how many.
---@param level "debug"|"info"|"warning"|"error" The settings may hide the lower ones.
---@param text string At most 400 octets of it are written.
---@return boolean written
function sp.log(level, text) end

---A list in a file or on a web server, one entry a line, as long as it takes; `#` and `;` begin comments. Only while a file loads: keep it in a local. All workers share it. A file that changes is read again within seconds, a web server is asked every `refresh`. One that cannot be read, or has a line that is no entry, leaves the list as it was, over restarts too, and the log says so.
---@param options { file?: string, url?: string, refresh?: string, kind: "domain"|"sallyport.address"|"network"|"word" }
---@return sallyport.list list
function sp.list(options) end

sp.dns = {}

---The IPv4 addresses of a name.
---@param name string What is asked for.
---@return string[]? addresses # nil: none
---@return string? err # why it could not be found out: `timeout`, `servfail`, `budget`
---@return string status # `ok`, `no_data` (no such record), `nxdomain` (no such name), or what `err` says
function sp.dns.a(name) end

---The IPv6 addresses of a name.
---@param name string What is asked for.
---@return string[]? addresses # nil: none
---@return string? err # why it could not be found out: `timeout`, `servfail`, `budget`
---@return string status # `ok`, `no_data` (no such record), `nxdomain` (no such name), or what `err` says
function sp.dns.aaaa(name) end

---The mail exchangers of a domain, the preferred one first. The host of a null MX (RFC 7505) is `""`.
---@param name string What is asked for.
---@return { host: string, preference: integer }[]? exchangers # nil: none
---@return string? err # why it could not be found out: `timeout`, `servfail`, `budget`
---@return string status # `ok`, `no_data` (no such record), `nxdomain` (no such name), or what `err` says
function sp.dns.mx(name) end

---The texts of a name, the strings of a record joined.
---@param name string What is asked for.
---@return string[]? texts # nil: none
---@return string? err # why it could not be found out: `timeout`, `servfail`, `budget`
---@return string status # `ok`, `no_data` (no such record), `nxdomain` (no such name), or what `err` says
function sp.dns.txt(name) end

---The names of an address, which nobody has confirmed.
---@param ip string The address.
---@return string[]? names # nil: none
---@return string? err # why it could not be found out: `timeout`, `servfail`, `budget`
---@return string status # `ok`, `no_data` (no such record), `nxdomain` (no such name), or what `err` says
function sp.dns.ptr(ip) end

---Whether a DNS list has an address or a domain. A key in the name of the zone is not recorded.
---@param what string An IP address or a domain.
---@param zone string The list, such as `"dbl.example"`.
---@return string? code # the first code of the list, such as `"127.0.0.2"`; nil: not listed
---@return string? err # why it could not be found out: `timeout`, `servfail`, `budget`, `name_too_long`, `list_error` (an answer that is no listing, as lists give to those whom they refuse)
---@return string[]? codes # all its codes
function sp.dns.listed(what, zone) end

sp.address = {}

---The addresses of a list as it stands in a header field, with their display names; the first 1000. For a field of the message use `tx.msg:addresses`: in decoded text a comma may have come from a name.
---@param list string Such as `"Ann <ann@example.org>, bob@example.com"`.
---@return sallyport.address[] addresses # empty: there is none in it
function sp.address.parse(list) end

---The registrable domain of any name, as `org_domain` of an address.
---@param domain string Such as `tx.client.rdns`.
---@return string domain # in lower case
function sp.address.org_domain(domain) end

---A domain in the letters that people read: of `xn--bcher-kva.example` it is `bücher.example`. What compares domains by their looks compares these.
---@param domain string Such as `tx.msg.from.domain`.
---@return string domain # as it is, where nothing stands for other letters
function sp.address.readable(domain) end

sp.text = {}

---What the text looks like: texts that look alike have equal skeletons, such as "paypal" in Latin and in Cyrillic letters (Unicode UTS 39). Compare it with other skeletons only. The case of letters counts: fold first.
---@param text string UTF-8; octets that are not become U+FFFD.
---@return string skeleton
function sp.text.skeleton(text) end

---The text without the difference of upper and lower case, of width and of ligatures, and without characters that are not seen (Unicode NFKC_Casefold).
---@param text string UTF-8; octets that are not become U+FFFD.
---@return string folded
function sp.text.fold(text) end

---The text in Unicode's normal form C, so that equal letters are equal octets.
---@param text string UTF-8; octets that are not become U+FFFD.
---@return string normal
function sp.text.nfc(text) end

---How many characters must be added, removed, replaced or exchanged with a neighbour to make one text of the other (Damerau-Levenshtein).
---@param a string UTF-8.
---@param b string UTF-8.
---@param most? integer What is more does not matter.
---@return integer? edits # nil: more than `most`
function sp.text.distance(a, b, most) end

sp.hash = {}

---The SHA-256 of the octets, as 64 hexadecimal digits.
---@param octets string Any octets.
---@return string digest # in lower case
function sp.hash.sha256(octets) end

---The SHA-1 of the octets, as 40 hexadecimal digits; only to look up what others publish by it.
---@param octets string Any octets.
---@return string digest # in lower case
function sp.hash.sha1(octets) end

---The MD5 of the octets, as 32 hexadecimal digits; only to look up what others publish by it.
---@param octets string Any octets.
---@return string digest # in lower case
function sp.hash.md5(octets) end

sp.json = {}

---Reads JSON, nested 64 deep at most. Members that are null are left out; in a list null is false. Of members with one name the last counts.
---@param text string What a stranger may have written.
---@return any value # nil: the text is no JSON, or null
---@return string? err # what is wrong with it
function sp.json.decode(text) end

---Writes a value as JSON, objects in the order of their names. A table with the keys 1 to n is a list, any other an object, the empty one too. What is not UTF-8 becomes U+FFFD.
---@param value string|number|boolean|table A string, number, boolean or table of such, nested 64 deep at most.
---@return string text
function sp.json.encode(value) end

sp.http = {}

---Asks a web server. A redirect is followed to hosts of `policy.rules.http` only; any other is the answer.
---@param url string `https://` or `http://`, a host of `policy.rules.http`, a path.
---@param options? { headers?: table<string, string> }
---@return { status: integer, headers: table<string, string>, body: string }? answer # names of headers are in lower case
---@return string? err # why there is none: `not_allowed`, `bad_url`, `timeout`, `too_large`, `too_many`, or `dns: ...`, `connect: ...`, `tls: ...`, `connection: ...`, `bad_response: ...` with what is wrong
function sp.http.get(url, options) end

---Sends something to a web server.
---@param url string `https://` or `http://`, a host of `policy.rules.http`, a path.
---@param body string What is sent, as it is.
---@param options? { headers?: table<string, string> }
---@return { status: integer, headers: table<string, string>, body: string }? answer # names of headers are in lower case
---@return string? err # why there is none: `not_allowed`, `bad_url`, `timeout`, `too_large`, `too_many`, or `dns: ...`, `connect: ...`, `tls: ...`, `connection: ...`, `bad_response: ...` with what is wrong
function sp.http.post(url, body, options) end

return sp
