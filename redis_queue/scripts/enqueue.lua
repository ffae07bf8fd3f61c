-- Make a job wait: at submit, when a row turns out not to be pushed, or when a raw entry is adopted.
-- Atomic because hash, ledger and list must name the job together or not at all.
-- Idempotent: a job that Redis knows already is left as it is.
--
-- KEYS 1 job (hash)  2 its list  3 ledger (zset)  4 scheduled (zset)  5 queue names (set)
--      6 jobs without a row yet (zset)
-- ARGV 1 id  2 queue name  3 "pending" or "scheduled"  4 due, ms since the epoch
--      5 "front" or "back"  6 "1" if the row exists, else "0"  7.. field, value, ... of the hash
-- Returns 1 placed, 0 already known.
if redis.call('HEXISTS', KEYS[1], 'status') == 1 then
  if ARGV[6] == '1' then redis.call('ZREM', KEYS[6], ARGV[1]) end
  return 0
end
local time = redis.call('TIME')
local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
redis.call('HSET', KEYS[1], 'job_id', ARGV[1], 'queue', ARGV[2], 'status', ARGV[3],
  'progress', '0', 'enqueued_ms', now, 'created_ms', now, 'updated_ms', now, 'fence', '0',
  unpack(ARGV, 7))
redis.call('SADD', KEYS[5], ARGV[2])
if ARGV[6] == '0' then redis.call('ZADD', KEYS[6], now, ARGV[1]) end
if ARGV[3] == 'scheduled' then
  redis.call('ZADD', KEYS[4], ARGV[4], ARGV[1])
else
  redis.call('ZADD', KEYS[3], now, ARGV[1])
  redis.call(ARGV[5] == 'front' and 'LPUSH' or 'RPUSH', KEYS[2], ARGV[1])
end
return 1
