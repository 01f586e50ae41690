-- One event a request for walkerOS: what single.lua says to licet, in its words. It
-- keeps no consent, so each event brings its own.
require 'result'
local head, tail, run
local n = 0
local subjects = 1000

function init(args)
  run = args[1] or '0'
  local body_head = '{"name":"product view","data":{"product":"p-17","value":12.5,"currency":"EUR"},' ..
    '"context":{"title":["A product",0],"search":["?utm_source=mail",0],"userAgent":["Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36",0],' ..
    '"locale":["en-US",0],"timezone":["UTC",0]},"globals":{"pagegroup":"shop"},"entity":"product","action":"view","timestamp":1795310781644,' ..
    '"consent":{"statistics":true},"source":{"type":"browser","id":"https://shop.example/products/17?utm_source=mail","previous_id":""},"id":"'
  local body_tail = '"}}'
  local id = string.format('%s-%010d', run, 0)
  local device = '","user":{"device":"device-000'
  local length = #body_head + #id + #device + 4 + #body_tail - 3
  head = 'POST /collect HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: ' ..
    length .. '\r\n\r\n' .. body_head
  tail = body_tail
end

function request()
  n = n + 1
  return head .. string.format('%s-%010d","user":{"device":"device-%04d', run, n, n % subjects) .. tail
end
