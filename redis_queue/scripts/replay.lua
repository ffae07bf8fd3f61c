-- Make a finished job wait again. The row says pending already, with a new generation.
-- Atomic because the hash leaves its final state and enters ledger and list together.
--
-- KEYS 1 job (hash)  2 its list  3 ledger (zset)  4 queue names (set)
-- ARGV 1 id  2 queue name  3 fence of the row  4.. field, value, ... of the whole hash
-- Returns 1 placed, 0 it waits or runs already.
local status = redis.call('HGET', KEYS[1], 'status')
if status == 'pending' or status == 'processing' or status == 'scheduled' then return 0 end
local time = redis.call('TIME')
local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'job_id', ARGV[1], 'queue', ARGV[2], 'status', 'pending',
  'progress', '0', 'enqueued_ms', now, 'created_ms', now, 'updated_ms', now, 'fence', ARGV[3],
  unpack(ARGV, 4))
redis.call('SADD', KEYS[4], ARGV[2])
redis.call('ZADD', KEYS[3], now, ARGV[1])
redis.call('RPUSH', KEYS[2], ARGV[1])
return 1
