-- Make a finished job wait again. The row says pending already, with a new generation.
-- Atomic because the hash leaves its final state and enters ledger and list together.
--
-- KEYS 1 job (hash)  2 its list  3 ledger (zset)  4 queue names (set)  5 event log (stream)
-- ARGV 1 id  2 queue name  3 fence of the row  4 id and  5 message (JSON) of the end that only the
--      hash has, or ""  6.. field, value, ... of the whole hash
-- Returns 1 placed, 0 it waits or runs already, -1 a holder has ended it in the row alone so far.
local known = redis.call('HMGET', KEYS[1], 'status', 'fence')
if known[1] == 'processing' and tonumber(known[2]) < tonumber(ARGV[3]) then return -1 end
if known[1] == 'pending' or known[1] == 'processing' or known[1] == 'scheduled' then return 0 end
local time = redis.call('TIME')
local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
if ARGV[4] ~= '' then
  redis.pcall('XADD', KEYS[5], ARGV[4], 'data', ARGV[5])
  redis.call('PEXPIRE', KEYS[5], math.max(1, redis.call('PTTL', KEYS[1])))
end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'job_id', ARGV[1], 'queue', ARGV[2], 'status', 'pending',
  'progress', '0', 'enqueued_ms', now, 'created_ms', now, 'updated_ms', now, 'fence', ARGV[3],
  unpack(ARGV, 6))
redis.call('SADD', KEYS[4], ARGV[2])
redis.call('ZADD', KEYS[3], now, ARGV[1])
redis.call('RPUSH', KEYS[2], ARGV[1])
return 1
