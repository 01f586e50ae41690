-- One consent record a request, each of another person.
require 'result'
local head, tail, run
local n = 0

function init(args)
  run = args[1] or '0'
  local body_tail = '"},"preferences":{"statistics":true},"proofs":[{"content":"I agree to statistics.","form":"<form>statistics</form>"}]}'
  local body_head = '{"subject":{"id":"'
  local id = string.format('person-%s-%010d', run, 0)
  head = 'POST /consent HTTP/1.1\r\nHost: bench\r\nApiKey: ' .. args[2] ..
    '\r\nContent-Type: application/json\r\nContent-Length: ' .. (#body_head + #id + #body_tail) .. '\r\n\r\n' .. body_head
  tail = body_tail
end

function request()
  n = n + 1
  return head .. string.format('person-%s-%010d', run, n) .. tail
end
