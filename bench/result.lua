-- What script/bench reads at the end of a run.
function done(summary)
  local e = summary.errors
  io.write(string.format('RESULT %d %d %d\n', summary.requests, summary.duration,
    e.connect + e.read + e.write + e.status + e.timeout))
end
