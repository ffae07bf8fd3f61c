-- Move a due job from the schedule to its list. The row says pending already.
-- Atomic because the job must be in exactly one place.
--
-- KEYS 1 job (hash)  2 scheduled (zset)  3 its list  4 ledger (zset)
-- ARGV 1 id
-- Returns 1 moved, 0 it is not scheduled any more.
redis.call('ZREM', KEYS[2], ARGV[1])
if redis.call('HGET', KEYS[1], 'status') ~= 'scheduled' then return 0 end
local time = redis.call('TIME')
local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
redis.call('HSET', KEYS[1], 'status', 'pending', 'enqueued_ms', now, 'updated_ms', now)
redis.call('ZADD', KEYS[4], now, ARGV[1])
redis.call('RPUSH', KEYS[3], ARGV[1])
return 1
