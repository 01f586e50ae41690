-- One consent record a request, each of another person, for c15t's backend: what
-- consent.lua says to licet. Its subject ids have no zeros.
require 'result'
local head, tail, run
local n = 0

local function subject(i)
  return (string.format('%s%010d', run, i):gsub('0', 'Z'))
end

function init(args)
  run = args[1] or '0'
  local body_head = '{"type":"cookie_banner","subjectId":"sub_'
  local body_tail = '","domain":"shop.example","preferences":{"necessary":true,"measurement":true},"givenAt":' ..
    args[2] .. ',"uiSource":"banner","consentAction":"custom","metadata":' ..
    '{"content":"I agree to statistics.","form":"<form>statistics</form>"}}'
  head = 'POST /subjects HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: ' ..
    (#body_head + #subject(0) + #body_tail) .. '\r\n\r\n' .. body_head
  tail = body_tail
end

function request()
  n = n + 1
  return head .. subject(n) .. tail
end
