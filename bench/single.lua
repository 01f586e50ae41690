-- One Segment message a request, each with an id of its own; the same script
-- loads nginx and licet.
require 'result'
local head, tail, n, run
local subjects = 1000

function init(args)
  run = args[1] or '0'
  local body_head = '{"timestamp":"2026-11-22T01:26:21.644Z","integrations":{},"event":"Product Viewed","type":"track","properties":{"product":"p-17","value":12.5,"currency":"EUR"},"context":{"page":{"path":"/products/17","referrer":"","search":"?utm_source=mail","title":"A product","url":"https://shop.example/products/17?utm_source=mail"},"userAgent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36","locale":"en-US","library":{"name":"analytics.js","version":"next-1.84.3"},"timezone":"UTC"},"messageId":"bench-'
  local body_tail = '"}'
  local id = string.format('%s-%010d', run, 0)
  local anonymous = '","anonymousId":"device-000'
  local length = #body_head + #id + #anonymous + 4 + #body_tail - 3
  head = 'POST /v1/track HTTP/1.1\r\nHost: bench\r\nAuthorization: Basic ' .. args[2] ..
    '\r\nContent-Type: text/plain\r\nContent-Length: ' .. length .. '\r\n\r\n' .. body_head
  tail = body_tail
  n = 0
end

function request()
  n = n + 1
  return head .. string.format('%s-%010d","anonymousId":"device-%04d', run, n, n % subjects) .. tail
end
