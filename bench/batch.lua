-- A hundred Segment messages a request, each with an id of its own.
require 'result'
local middle, head, run
local n = 0
local subjects = 1000
local in_a_row = tonumber(os.getenv('BENCH_IN_A_ROW') or '1') -- events of one device after another

function init(args)
  run = args[1] or '0'
  middle = '{"timestamp":"2026-11-22T01:26:21.644Z","integrations":{},"event":"Product Viewed","type":"track","properties":{"product":"p-17","value":12.5,"currency":"EUR"},"context":{"page":{"path":"/products/17","referrer":"","search":"?utm_source=mail","title":"A product","url":"https://shop.example/products/17?utm_source=mail"},"userAgent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36","locale":"en-US","library":{"name":"analytics.js","version":"next-1.84.3"},"timezone":"UTC"},"messageId":"bench-'
  local one = #middle + #string.format('%s-%010d","anonymousId":"device-%04d"}', run, 0, 0)
  head = 'POST /v1/batch HTTP/1.1\r\nHost: bench\r\nAuthorization: Basic ' .. args[2] ..
    '\r\nContent-Type: application/json\r\nContent-Length: ' .. (#'{"batch":[' + 100 * one + 99 + #']}') ..
    '\r\n\r\n{"batch":['
end

function request()
  local part = {}
  for i = 1, 100 do
    n = n + 1
    part[i] = middle .. string.format('%s-%010d","anonymousId":"device-%04d"}', run, n, math.floor(n / in_a_row) % subjects)
  end
  return head .. table.concat(part, ',') .. ']}'
end
