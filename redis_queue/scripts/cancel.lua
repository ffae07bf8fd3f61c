-- Cancel a waiting job at once, or ask the holder of a running one.
-- Atomic because a claim in between would run a job that its list no longer names.
--
-- KEYS 1 job (hash)  2 its list  3 ledger (zset)  4 scheduled (zset)
--      5 cancellations that the row does not know yet (zset)  6 event log (stream)
--      7 all jobs' event log (stream)
-- ARGV 1 id  2 how long the hash is kept, s  3 message (JSON)  4 channel
--      5 "1" if the row knows already
-- Returns the state before ("pending", "scheduled", "processing", a final one), or "" if unknown.
local status = redis.call('HGET', KEYS[1], 'status')
if not status then return '' end
local time = redis.call('TIME')
local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
if status == 'pending' or status == 'scheduled' then
  redis.call('HSET', KEYS[1], 'status', 'cancelled', 'error', 'cancelled', 'updated_ms', now)
  redis.call('EXPIRE', KEYS[1], ARGV[2])
  redis.call('LREM', KEYS[2], 1, ARGV[1])
  redis.call('ZREM', KEYS[3], ARGV[1])
  redis.call('ZREM', KEYS[4], ARGV[1])
  -- Under one id in both logs; one that is ahead (the other was lost) must not stop the job.
  local entry = redis.call('XADD', KEYS[7], 'MAXLEN', '~', 10000, '*', 'data', ARGV[3],
    'tenant', redis.call('HGET', KEYS[1], 'tenant') or '', 'job', ARGV[1])
  redis.pcall('XADD', KEYS[6], entry, 'data', ARGV[3])
  redis.call('EXPIRE', KEYS[6], ARGV[2])
  redis.call('PUBLISH', ARGV[4], ARGV[3])
elseif status == 'processing' then
  redis.call('HSET', KEYS[1], 'cancel', '1', 'updated_ms', now)
else
  return status
end
if ARGV[5] ~= '1' then redis.call('ZADD', KEYS[5], now, ARGV[1]) end
return status
